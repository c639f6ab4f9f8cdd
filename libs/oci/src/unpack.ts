import { cleanName, type TarEntry, type TarHandler, TarParser, toText } from '@nx-kraft/archive';
import { hasErrorCode } from '@nx-kraft/base';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from './digest.ts';
import { OciFault } from './fault.ts';
import { openLayer, readImage } from './image.ts';
import type { ImageConfig } from './model.ts';
import type { ImageSource } from './source.ts';

/** A unikernel on the disk, ready to be started. */
export interface UnpackedImage {
  /** Path of the kernel. */
  readonly kernel: string;
  /** Path of the root filesystem. */
  readonly initrd?: string;
  /** Path of the kernel with debug information. */
  readonly debugKernel?: string;
  readonly config: ImageConfig;
}

/** Names in an image, and of the files that they become. */
const wanted: Readonly<Record<string, string>> = {
  'unikraft/bin/kernel': 'kernel',
  'unikraft/bin/initrd': 'initrd',
  'unikraft/bin/kernel.dbg': 'kernel.dbg',
};

/**
 * Unpacks the kernel and the root filesystem of one manifest into a folder, plain or compressed; of several layers with
 * the same file the last one wins. Nothing else that layers hold is written, and no links are followed.
 *
 * @param folder  gets `kernel`, `initrd` and `kernel.dbg`
 * @throws OciFault DOCUMENT_INVALID when there is no kernel, DIGEST_MISMATCH, BLOB_MISSING, COMPRESSION_UNSUPPORTED;
 *   ArchiveFault for damaged layers and names that lead out of the root
 */
export async function unpackImage(source: ImageSource, digest: Digest, folder: string): Promise<UnpackedImage> {
  const { config, layers } = await readImage(source, digest);
  const temporary = join(folder, `.${randomUUID()}.tmp`);
  await mkdir(temporary, { recursive: true });
  try {
    for (const layer of layers) {
      const writer = new WantedFiles(temporary, `${source.name}@${layer.digest}`);
      const parser = new TarParser(writer, `${source.name}@${layer.digest}`);
      try {
        for await (const chunk of openLayer(source, layer) as AsyncIterable<Buffer>) parser.push(chunk);
        parser.end();
      } finally {
        writer.close();
      }
    }
    const kernel = await deliver(temporary, folder, 'kernel');
    if (kernel === undefined) throw noKernel(source, digest);
    const initrd = await deliver(temporary, folder, 'initrd');
    const debugKernel = await deliver(temporary, folder, 'kernel.dbg');
    return {
      kernel,
      ...(initrd === undefined ? {} : { initrd }),
      ...(debugKernel === undefined ? {} : { debugKernel }),
      config,
    };
  } finally {
    await rm(temporary, { recursive: true });
  }
}

class WantedFiles implements TarHandler {
  readonly #folder: string;
  readonly #at: string;
  #file: number | undefined;

  constructor(folder: string, at: string) {
    this.#folder = folder;
    this.#at = at;
  }

  entry(entry: TarEntry): void {
    this.close();
    const name = wanted[toText(cleanName(entry.name, this.#at))];
    if (name !== undefined && entry.type === 'file') this.#file = openSync(join(this.#folder, name), 'w');
  }

  data(chunk: Uint8Array, start: number, end: number): void {
    if (this.#file === undefined) return;
    for (let from = start; from < end;) from += writeSync(this.#file, chunk, from, end - from);
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

/** Moves a file to where it belongs; an empty one counts as none, as for `kraft`. */
async function deliver(temporary: string, folder: string, name: string): Promise<string | undefined> {
  const from = join(temporary, name);
  try {
    if ((await stat(from)).size === 0) return undefined;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  await rename(from, join(folder, name));
  return join(folder, name);
}

function noKernel(source: ImageSource, digest: Digest): OciFault {
  return new OciFault('DOCUMENT_INVALID', 'the image has no kernel', {
    at: `${source.name}@${digest}`,
    hint: 'Is it a container rather than a unikernel? Those can be a root filesystem, but cannot be run.',
  });
}
