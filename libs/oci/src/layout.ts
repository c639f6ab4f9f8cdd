import { hasErrorCode, replaceAtomically, withLock } from '@nx-kraft/base';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BlobFolder } from './blob-folder.ts';
import { decodeIndex } from './decode.ts';
import { encodeIndex } from './encode.ts';
import { OciFault } from './fault.ts';
import { mediaTypes } from './media-types.ts';
import type { Descriptor, ImageIndex } from './model.ts';

/**
 * A folder in the form of an OCI image layout (image-spec 1.1, image-layout.md): `oci-layout`, `index.json` with what
 * has a name, and `blobs/sha256`. Blobs never change; only `index.json` does, under a lock that is held for no longer
 * than it takes to write it.
 */
export class Layout extends BlobFolder {
  private constructor(folder: string) {
    super(folder, 'blobs/sha256');
  }

  /** Opens the layout in `folder`; makes an empty one where there is nothing yet. */
  static async create(folder: string): Promise<Layout> {
    const layout = new Layout(folder);
    await mkdir(join(folder, 'blobs', 'sha256'), { recursive: true });
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
