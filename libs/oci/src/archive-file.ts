import {
  cleanName,
  createFile,
  type FileWriter,
  readChunks,
  tarEnd,
  type TarEntry,
  type TarHandler,
  tarHeader,
  TarParser,
  toText,
} from '@nx-kraft/archive';
import { replaceAtomically } from '@nx-kraft/base';
import { createHash, type Hash } from 'node:crypto';
import { closeSync, fstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { decodeIndex, largestDocument } from './decode.ts';
import { type Digest, digestMismatch, isDigest } from './digest.ts';
import { encodeIndex } from './encode.ts';
import { OciFault } from './fault.ts';
import type { Layout } from './layout.ts';
import { mediaTypes } from './media-types.ts';
import type { Descriptor } from './model.ts';

/**
 * Writes an image layout as one tar archive (`.oci.tar`): what skopeo calls `oci-archive`, and what `docker load`,
 * `ctr images import` and `unikraft` read. The same images give the same bytes.
 *
 * @param roots  what the archive's index names
 * @param blobs  all that they need
 */
export async function writeArchive(
  layout: Layout,
  roots: readonly Descriptor[],
  blobs: Iterable<Digest>,
  path: string,
): Promise<void> {
  const index = encodeIndex({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: roots });
  await replaceAtomically(path, (temporary) => {
    createFile(temporary, (output) => {
      putFile(output, 'oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
      putFile(output, 'index.json', index);
      for (const digest of [...blobs].toSorted()) putBlob(output, layout, digest);
      output.bytes(tarEnd);
      output.finish();
    });
    return Promise.resolve();
  });
}

/**
 * Reads an archive as {@link writeArchive}, skopeo, BuildKit or `docker save` write it, and puts its blobs into a
 * layout. Gives what its index names.
 *
 * @throws OciFault LAYOUT_INVALID, DIGEST_MISMATCH, DOCUMENT_INVALID; ArchiveFault
 */
export function readArchive(path: string, layout: Layout): readonly Descriptor[] {
  const reader = new ArchiveReader(path, layout);
  try {
    const parser = new TarParser(reader, path);
    readChunks(path, (chunk) => parser.push(chunk));
    parser.end();
    return reader.roots();
  } finally {
    reader.close();
  }
}

const mode = 0o644;

function putFile(output: FileWriter, name: string, bytes: Buffer): void {
  output.bytes(tarHeader({ name, type: 'file', mode, size: bytes.length }));
  output.bytes(bytes);
  output.align(512);
}

function putBlob(output: FileWriter, layout: Layout, digest: Digest): void {
  const path = layout.blobPath(digest);
  const input = openSync(path, 'r');
  try {
    const size = fstatSync(input).size;
    output.bytes(tarHeader({ name: `blobs/${digest.replace(':', '/')}`, type: 'file', mode, size }));
    output.wholeFile(input, size, path);
    output.align(512);
  } finally {
    closeSync(input);
  }
}

/** Puts blobs down as they come, each under its digest once that has proved right. */
class ArchiveReader implements TarHandler {
  readonly #path: string;
  readonly #layout: Layout;
  #blob: { readonly digest: Digest; readonly temporary: string; readonly fd: number; readonly hash: Hash } | undefined;
  #index: Buffer[] | undefined;
  #left = 0;
  #isIndex = false;

  constructor(path: string, layout: Layout) {
    this.#path = path;
    this.#layout = layout;
  }

  entry(entry: TarEntry): void {
    const name = toText(cleanName(entry.name, this.#path));
    const digest = /^blobs\/sha256\/[0-9a-f]{64}$/.test(name) ? name.slice('blobs/'.length).replace('/', ':') : '';
    this.#left = entry.size;
    this.#isIndex = entry.type === 'file' && name === 'index.json' && entry.size <= largestDocument;
    if (this.#isIndex) this.#index = [];
    if (entry.type !== 'file' || !isDigest(digest)) return;
    const temporary = this.#layout.temporaryBlobPath();
    this.#blob = { digest, temporary, fd: openSync(temporary, 'w'), hash: createHash('sha256') };
    if (entry.size === 0) this.#finish();
  }

  data(chunk: Uint8Array, start: number, end: number): void {
    const bytes = chunk.subarray(start, end);
    if (this.#isIndex) this.#index?.push(Buffer.from(bytes));
    if (this.#blob !== undefined) {
      this.#blob.hash.update(bytes);
      writeSync(this.#blob.fd, bytes);
    }
    this.#left -= bytes.length;
    if (this.#left === 0) this.#finish();
  }

  roots(): readonly Descriptor[] {
    if (this.#index !== undefined) return decodeIndex(Buffer.concat(this.#index), this.#path).manifests;
    throw new OciFault('LAYOUT_INVALID', 'this archive holds no OCI image layout', {
      at: this.#path,
      hint: 'An archive of an older "docker save" can be turned into one by skopeo: copy docker-archive:… oci-archive:…',
    });
  }

  /** Removes a blob that did not come whole. */
  close(): void {
    if (this.#blob === undefined) return;
    closeSync(this.#blob.fd);
    rmSync(this.#blob.temporary, { force: true });
  }

  #finish(): void {
    const blob = this.#blob;
    if (blob === undefined) return;
    const actual = `sha256:${blob.hash.digest('hex')}`;
    if (actual !== blob.digest) throw digestMismatch(blob.digest, actual, this.#path);
    closeSync(blob.fd);
    this.#blob = undefined;
    renameSync(blob.temporary, this.#layout.blobPath(blob.digest));
  }
}
