import { hasErrorCode, replaceAtomically, withLock } from '@nx-kraft/base';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Digest } from './digest.ts';
import type { Reference } from './reference.ts';
import type { ImageStore } from './store.ts';

/** By registry and digest, the repositories that were seen to have the blob; the newest last. */
type Known = Record<string, Record<string, string[]>>;

const shape = z.record(z.string(), z.record(z.string(), z.array(z.string())));

/** So many blobs are remembered for each registry, with so many repositories each. */
const mostBlobs = 2000;
const mostRepositories = 4;

/**
 * Remembers which repositories of a registry have which blobs, so that a kernel which many images share goes up once
 * and is mounted everywhere else. It is a memory only: what it says may be wrong, and nothing is lost without it.
 */
export class BlobSources {
  readonly #path: string;

  constructor(store: ImageStore) {
    this.#path = join(store.layout.folder, 'blob-sources.json');
  }

  /** Repositories that had the blob, the newest first. */
  async repositoriesWith(registry: string): Promise<(digest: Digest) => readonly string[]> {
    const known = (await this.#read())[registry] ?? {};
    return (digest) => known[digest]?.toReversed() ?? [];
  }

  /** Takes down that a repository has these blobs. */
  async add({ registry, repository }: Reference, digests: readonly Digest[]): Promise<void> {
    if (digests.length === 0) return;
    await withLock(`${this.#path}.lock`, async () => {
      const known = await this.#read();
      const blobs = new Map(Object.entries(known[registry] ?? {}));
      for (const digest of digests) {
        const others = (blobs.get(digest) ?? []).filter((other) => other !== repository);
        blobs.delete(digest);
        blobs.set(digest, [...others, repository].slice(-mostRepositories));
      }
      known[registry] = Object.fromEntries([...blobs].slice(-mostBlobs));
      await replaceAtomically(this.#path, (path) => writeFile(path, JSON.stringify(known)));
    });
  }

  async #read(): Promise<Known> {
    try {
      const result = shape.safeParse(JSON.parse(await readFile(this.#path, 'utf8')));
      return result.data ?? {};
    } catch (error) {
      // Nothing was remembered so far, or nothing that can be read.
      if (hasErrorCode(error, 'ENOENT') || error instanceof SyntaxError) return {};
      throw error;
    }
  }
}
