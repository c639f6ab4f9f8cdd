import { run } from '@nx-kraft/base';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { formatReference, type Reference } from './reference.ts';
import type { AddOptions, ImageStore, StoredImage } from './store.ts';

/** Which containerd, and where in it; `kraft` uses the namespace `default`. */
export interface ContainerdOptions {
  /** Path of its socket (default that of `ctr`). */
  readonly address?: string;
  readonly namespace?: string;
  /** Ends `ctr`, and what was written for it or by it goes. */
  readonly signal?: AbortSignal;
}

/**
 * Puts an image of the store into containerd, by its own command `ctr`, all platforms of it and without unpacking,
 * since containerd can run none of them by itself.
 *
 * @throws OciFault IMAGE_MISSING; ProgramFault when `ctr` is missing or fails
 */
export async function exportToContainerd(
  store: ImageStore,
  reference: Reference,
  options: ContainerdOptions = {},
): Promise<void> {
  await withArchive(async (path) => {
    await store.exportArchive([reference], path);
    const args = [...flags(options), 'images', 'import', '--all-platforms', '--no-unpack', path];
    await run('ctr', args, { signal: options.signal });
  });
}

/** Takes an image over from containerd. @throws as {@link exportToContainerd}, and those of importing archives */
export async function importFromContainerd(
  store: ImageStore,
  reference: Reference,
  { strategy, ...options }: ContainerdOptions & Pick<AddOptions, 'strategy'> = {},
): Promise<readonly StoredImage[]> {
  return withArchive(async (path) => {
    // The other index, Docker's, would have to be about an image that this machine can run.
    const kinds = ['--all-platforms', '--skip-manifest-json'];
    const args = [...flags(options), 'images', 'export', ...kinds, path, formatReference(reference)];
    await run('ctr', args, { signal: options.signal });
    return store.importArchive(path, { reference, ...(strategy === undefined ? {} : { strategy }) });
  });
}

function flags({ address, namespace = 'default' }: ContainerdOptions): readonly string[] {
  return [...(address === undefined ? [] : ['--address', address]), '--namespace', namespace];
}

async function withArchive<T>(work: (path: string) => Promise<T>): Promise<T> {
  const path = join(tmpdir(), `nx-kraft-${randomUUID()}.oci.tar`);
  try {
    return await work(path);
  } finally {
    await rm(path, { force: true });
  }
}
