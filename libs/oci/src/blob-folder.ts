import { hasErrorCode, replaceAtomically } from '@nx-kraft/base';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestOf, hexOf, verified } from './digest.ts';
import { OciFault } from './fault.ts';
import type { Descriptor } from './model.ts';
import type { ImageSource } from './source.ts';

/**
 * A folder with a file for each blob, named by the hex digits of its digest. A blob appears whole or not at all, and
 * never changes.
 */
export class BlobFolder implements ImageSource {
  /** What the blobs belong to. */
  readonly folder: string;
  readonly #blobs: string;

  constructor(folder: string, blobs: string) {
    this.folder = folder;
    this.#blobs = join(folder, blobs);
  }

  get name(): string {
    return this.folder;
  }

  /** Where a blob is; also where it would be. */
  blobPath(digest: Digest): string {
    return `${this.#blobs}/${hexOf(digest)}`;
  }

  /** Size of a blob in bytes; undefined when it is not here. */
  sizeOf(digest: Digest): number | undefined {
    return statSync(this.blobPath(digest), { throwIfNoEntry: false })?.size;
  }

  readBlob(digest: Digest): Promise<Buffer> {
    return new Promise((resolve) => resolve(this.#read(digest)));
  }

  /** At once: to hand each of thousands of small files to the thread pool takes ten times as long. */
  #read(digest: Digest): Buffer {
    const path = this.blobPath(digest);
    try {
      return verified(readFileSync(path), digest, path);
    } catch (error) {
      throw hasErrorCode(error, 'ENOENT') ? blobMissing(digest, this.folder) : error;
    }
  }

  /** Indexes and manifests lie among the other blobs. */
  readManifest(digest: Digest): Promise<Buffer> {
    return this.readBlob(digest);
  }

  openBlob(digest: Digest, offset: number): Promise<AsyncIterable<Buffer>> {
    if (this.sizeOf(digest) === undefined) return Promise.reject(blobMissing(digest, this.folder));
    return Promise.resolve(fileChunks(this.blobPath(digest), offset));
  }

  /** Puts a small blob in, also over a damaged one, and gives its descriptor. */
  async writeBlob(bytes: Buffer, mediaType: string): Promise<Descriptor> {
    const digest = digestOf(bytes);
    const path = this.blobPath(digest);
    await replaceAtomically(path, (temporary) => writeFile(temporary, bytes));
    return { mediaType, digest, size: bytes.length };
  }

  /** A new path beside the blobs, to write one whose digest is not known yet. */
  temporaryBlobPath(): string {
    return join(this.#blobs, `.${randomUUID()}.tmp`);
  }

  /**
   * Puts a blob in that `make` writes to a temporary path; `make` vouches for the digest that it gives.
   * Nothing is left when it fails.
   */
  async addBlob<T extends { readonly digest: Digest }>(make: (temporaryPath: string) => Promise<T>): Promise<T> {
    const temporaryPath = this.temporaryBlobPath();
    try {
      const made = await make(temporaryPath);
      await rename(temporaryPath, this.blobPath(made.digest));
      return made;
    } catch (error) {
      await rm(temporaryPath, { force: true });
      throw error;
    }
  }

  /** Names of all files among the blobs, also of those that were never finished: hex digits, where they were. */
  blobNames(): Promise<readonly string[]> {
    return readdir(this.#blobs);
  }

  /** The paths of {@link blobNames}. */
  async blobFiles(): Promise<readonly string[]> {
    return (await this.blobNames()).map((name) => join(this.#blobs, name));
  }
}

/** A file's bytes in one buffer that is used again, read at once: a thread pool and streams cost more than the reading. */
// eslint-disable-next-line @typescript-eslint/require-await -- whoever reads it waits between chunks
async function* fileChunks(path: string, offset: number): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(256 * 1024);
  const file = openSync(path, 'r');
  try {
    for (let position = offset, length = -1; length !== 0; position += length) {
      length = readSync(file, buffer, 0, buffer.length, position);
      if (length > 0) yield buffer.subarray(0, length);
    }
  } finally {
    closeSync(file);
  }
}

function blobMissing(digest: Digest, at: string): OciFault {
  return new OciFault('BLOB_MISSING', `the blob ${digest} is not here`, {
    at,
    hint: 'Pull the image again; parts of it were never pulled, or were removed.',
  });
}
