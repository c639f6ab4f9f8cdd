import { hasErrorCode, replaceAtomically, withLock } from '@nx-kraft/base';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { decodeIndex } from './decode.ts';
import { type Digest, digestOf, hexOf, verified } from './digest.ts';
import { encodeIndex } from './encode.ts';
import { OciFault } from './fault.ts';
import { mediaTypes } from './media-types.ts';
import type { Descriptor, ImageIndex } from './model.ts';
import type { ImageSource } from './source.ts';

/**
 * A folder in the form of an OCI image layout (image-spec 1.1, image-layout.md): `oci-layout`, `index.json` with what
 * has a name, and `blobs/sha256`. A blob appears whole or not at all, and never changes; only `index.json` does, under
 * a lock that is held for no longer than it takes to write it.
 */
export class Layout implements ImageSource {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Opens the layout in `folder`; makes an empty one where there is nothing yet. */
  static async create(folder: string): Promise<Layout> {
    const layout = new Layout(folder);
    await mkdir(layout.#blobs, { recursive: true });
    const marker = join(folder, 'oci-layout');
    if (!(await exists(marker))) {
      if (!(await exists(layout.indexPath))) await layout.#writeIndex([]);
      await replaceAtomically(marker, (path) => writeFile(path, '{"imageLayoutVersion":"1.0.0"}'));
    }
    return layout;
  }

  /** @throws OciFault LAYOUT_INVALID when `folder` is no image layout */
  static async open(folder: string): Promise<Layout> {
    const layout = new Layout(folder);
    if ((await exists(join(folder, 'oci-layout'))) && (await exists(layout.indexPath))) return layout;
    throw new OciFault('LAYOUT_INVALID', 'this folder is no OCI image layout', {
      at: folder,
      hint: 'It has no oci-layout and index.json. Run the package task first, or correct the path.',
    });
  }

  get name(): string {
    return this.folder;
  }

  get indexPath(): string {
    return join(this.folder, 'index.json');
  }

  get #blobs(): string {
    return join(this.folder, 'blobs', 'sha256');
  }

  /** Where a blob is; also where it would be. */
  blobPath(digest: Digest): string {
    return join(this.#blobs, hexOf(digest));
  }

  /** Size of a blob in bytes; undefined when it is not here. */
  async sizeOf(digest: Digest): Promise<number | undefined> {
    try {
      return (await stat(this.blobPath(digest))).size;
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  async readBlob(digest: Digest): Promise<Buffer> {
    const path = this.blobPath(digest);
    try {
      return verified(await readFile(path), digest, path);
    } catch (error) {
      throw hasErrorCode(error, 'ENOENT') ? blobMissing(digest, this.folder) : error;
    }
  }

  /** Indexes and manifests lie among the other blobs. */
  readManifest(digest: Digest): Promise<Buffer> {
    return this.readBlob(digest);
  }

  async openBlob(digest: Digest, offset: number): Promise<Readable> {
    if ((await this.sizeOf(digest)) === undefined) throw blobMissing(digest, this.folder);
    return createReadStream(this.blobPath(digest), { start: offset, highWaterMark: 256 * 1024 });
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

  /** What has a name here, and other roots. */
  async roots(): Promise<readonly Descriptor[]> {
    return decodeIndex(await readFile(this.indexPath), this.indexPath).manifests;
  }

  /** Replaces the roots by what `change` makes of them, while no other process does so. */
  async changeRoots(
    change: (roots: readonly Descriptor[]) => readonly Descriptor[] | Promise<readonly Descriptor[]>,
  ): Promise<void> {
    await withLock(join(this.folder, 'index.json.lock'), async () => {
      await this.#writeIndex(await change(await this.roots()));
    });
  }

  /** Paths of all files among the blobs, also of those that were never finished. */
  async blobFiles(): Promise<readonly string[]> {
    const names = await readdir(this.#blobs);
    return names.map((name) => join(this.#blobs, name));
  }

  async #writeIndex(manifests: readonly Descriptor[]): Promise<void> {
    const index: ImageIndex = { schemaVersion: 2, mediaType: mediaTypes.index, manifests };
    // The specification wants a list, also where Go would write null.
    const bytes = manifests.length > 0 ? encodeIndex(index) : JSON.stringify(index);
    await replaceAtomically(this.indexPath, (path) => writeFile(path, bytes), { durable: true });
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

function blobMissing(digest: Digest, at: string): OciFault {
  return new OciFault('BLOB_MISSING', `the blob ${digest} is not here`, {
    at,
    hint: 'Pull the image again; parts of it were never pulled, or were removed.',
  });
}
