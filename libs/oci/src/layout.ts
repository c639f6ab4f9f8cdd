import { hasErrorCode, replaceAtomically, withLock } from '@nx-kraft/base';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { decodeIndex } from './decode.ts';
import { type Digest, digestOf, hexOf, verified } from './digest.ts';
import { encodeIndex } from './encode.ts';
import { OciFault } from './fault.ts';
import { mediaTypes } from './media-types.ts';
import type { Descriptor, ImageIndex } from './model.ts';
import { verifiedStream } from './verified-stream.ts';

/**
 * A folder in the form of an OCI image layout (image-spec 1.1, image-layout.md): `oci-layout`, `index.json` with what
 * has a name, and `blobs/sha256`. A blob appears whole or not at all, and never changes; only `index.json` does, under
 * a lock that is held for no longer than it takes to write it.
 */
export class Layout {
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

  get indexPath(): string {
    return join(this.folder, 'index.json');
  }

  get #blobs(): string {
    return join(this.folder, 'blobs', 'sha256');
  }

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

  /**
   * A small blob as a whole: an index, a manifest or a configuration.
   *
   * @throws OciFault BLOB_MISSING, DIGEST_MISMATCH
   */
  async readBlob(digest: Digest): Promise<Buffer> {
    const path = this.blobPath(digest);
    try {
      return verified(await readFile(path), digest, path);
    } catch (error) {
      throw hasErrorCode(error, 'ENOENT') ? blobMissing(digest, this.folder) : error;
    }
  }

  /**
   * A blob as a stream, which fails at its end when the bytes do not have the digest.
   *
   * @throws OciFault BLOB_MISSING; the stream fails with DIGEST_MISMATCH
   */
  async openBlob(digest: Digest): Promise<Readable> {
    if ((await this.sizeOf(digest)) === undefined) throw blobMissing(digest, this.folder);
    const path = this.blobPath(digest);
    return verifiedStream(createReadStream(path, { highWaterMark: 256 * 1024 }), digest, path);
  }

  /** Puts a small blob in and gives its descriptor. */
  async writeBlob(bytes: Buffer, mediaType: string): Promise<Descriptor> {
    const digest = digestOf(bytes);
    const path = this.blobPath(digest);
    if (!(await exists(path))) await replaceAtomically(path, (temporary) => writeFile(temporary, bytes));
    return { mediaType, digest, size: bytes.length };
  }

  /**
   * Puts a blob in that `make` writes to a temporary path; `make` vouches for the digest that it gives.
   * Nothing is left when it fails.
   */
  async addBlob<T extends { readonly digest: Digest }>(make: (temporaryPath: string) => Promise<T>): Promise<T> {
    const temporaryPath = join(this.#blobs, `.${randomUUID()}.tmp`);
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
  async changeRoots(change: (roots: readonly Descriptor[]) => readonly Descriptor[]): Promise<void> {
    await withLock(join(this.folder, 'index.json.lock'), async () => {
      const before = await this.roots();
      const after = change(before);
      if (after !== before) await this.#writeIndex(after);
    });
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
