import { hasErrorCode } from '@nx-kraft/base';
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { annotationKeys } from './annotations.ts';
import { BlobFolder } from './blob-folder.ts';
import { annotationsOf, composeIndex } from './compose-index.ts';
import { decodeIndex } from './decode.ts';
import { digestOf } from './digest.ts';
import { OciFault } from './fault.ts';
import { mediaTypes } from './media-types.ts';
import type { ImageIndex } from './model.ts';
import { formatReference, parseReference, type Reference } from './reference.ts';
import type { ImageEntry, Root } from './select.ts';
import type { ImageSource } from './source.ts';
import { copyImage, type TransferOptions } from './transfer.ts';

/** An image in the store of `kraft`. */
export interface KraftImage extends Root {
  readonly reference: Reference;
}

/** Where `kraft` keeps images when it uses no containerd (section 2.1 of the reference). */
export function kraftStoreFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const data = environment['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share');
  return join(environment['KRAFTKIT_RUNTIME_DIR'] ?? join(data, 'kraftkit', 'runtime'), 'oci');
}

/**
 * The store of `kraft`'s directory handler, so that both tools see each other's images: blobs in `digests/sha256`,
 * names as symbolic links in `indexes`. Tolerates what `kraft` gets wrong (section 2.2 and 7 of the reference): blobs
 * that do not have the digest of their name, names without a registry, ports that have become folders.
 */
export class KraftStore extends BlobFolder {
  constructor(folder: string = kraftStoreFolder()) {
    super(folder, 'digests/sha256');
  }

  /** All images whose index can be read, in order of their names; `kraft` itself leaves out the others, too. */
  async images(): Promise<readonly KraftImage[]> {
    const images: KraftImage[] = [];
    for (const path of await linksIn(join(this.folder, 'indexes'))) {
      const image = await this.#read(path);
      if (image !== undefined) images.push(image);
    }
    return images;
  }

  /** The image of this name; `kraft` may know it without the default registry. Undefined when there is none. */
  async find(reference: Reference): Promise<KraftImage | undefined> {
    const name = formatReference(reference);
    return (await this.images()).find((image) => formatReference(image.reference) === name);
  }

  /**
   * Puts those manifests of an image that `source` has whole into `kraft`'s store, under the name. The index is written
   * anew for them, as `kraft` does when it pulls.
   *
   * @throws those of {@link copyImage}
   */
  async add(
    source: ImageSource,
    root: Root,
    entries: readonly ImageEntry[],
    reference: Reference,
    options?: TransferOptions,
  ): Promise<void> {
    await mkdir(join(this.folder, 'digests', 'sha256'), { recursive: true });
    const index = await composeIndex(source, entries, annotationsOf(root, source.name));
    const manifests = entries.map((entry) => entry.digest);
    await copyImage(source, index, manifests, this, options);
    await this.#link(reference, this.blobPath(index.descriptor.digest));
  }

  async #read(path: string): Promise<KraftImage | undefined> {
    try {
      const bytes = await readFile(path);
      const index = decodeIndex(bytes, path);
      const reference = referenceOf(relative(join(this.folder, 'indexes'), path), index);
      // The file's name may lie: kraft rewrites indexes through their links.
      const descriptor = { mediaType: mediaTypes.index, digest: digestOf(bytes), size: bytes.length };
      return { reference, descriptor, bytes };
    } catch (error) {
      if (error instanceof OciFault || hasErrorCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  async #link(reference: Reference, target: string): Promise<void> {
    const name = formatReference({ ...reference, tag: reference.tag ?? 'latest' }).replace(/@.*/, '');
    const path = join(this.folder, 'indexes', ...name.split(/[:/]/));
    await mkdir(dirname(path), { recursive: true });
    const temporary = `${path}.${randomUUID()}.tmp`;
    await symlink(resolve(target), temporary);
    await rename(temporary, path);
  }
}

/** Links below a folder, in order. */
async function linksIn(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const links = entries.filter((entry) => entry.isSymbolicLink() && !entry.name.endsWith('.tmp'));
    return links.map((entry) => join(entry.parentPath, entry.name)).toSorted();
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return [];
    throw error;
  }
}

/** The name that a link stands for; its colons, also that of a port, have become folders. */
function referenceOf(path: string, index: ImageIndex): Reference {
  const parts = path.split(sep);
  const written = index.annotations?.[annotationKeys.containerdName] ?? '';
  if (written.split(/[:/]/).join(sep) === path) return parseReference(written);
  return parseReference(`${parts.slice(0, -1).join('/')}:${parts.at(-1)}`);
}
