import { homedir } from 'node:os';
import { join } from 'node:path';
import { annotationKeys, isNamed, namedRoot } from './annotations.ts';
import { attachedTo } from './attachments.ts';
import { readArchive, writeArchive } from './archive-file.ts';
import { mergeImages } from './compose-index.ts';
import type { Digest } from './digest.ts';
import { OciFault } from './fault.ts';
import { Layout } from './layout.ts';
import type { Descriptor } from './model.ts';
import { type Pruned, pruneLayout } from './prune.ts';
import { addReachable } from './reachable.ts';
import { formatReference, parseReference, type Reference, repositoryName } from './reference.ts';
import { listEntries, type Root } from './select.ts';
import type { ImageSource } from './source.ts';
import { copyImage, receiveBlob, type TransferOptions } from './transfer.ts';

/** A name in the store. */
export interface StoredImage {
  readonly reference: Reference;
  readonly descriptor: Descriptor;
}

/** What becomes of an image whose name another one takes; to ask is up to who knows a terminal. */
export type Strategy = 'overwrite' | 'merge' | 'abort';

/** A strategy, or who decides by the name and by the digest of the image that would take it. */
export type SettledStrategy = Strategy | ((reference: Reference, digest: Digest) => Promise<Strategy>);

export interface AddOptions extends TransferOptions {
  /** The name in the store (default: that in the layout). */
  readonly reference?: Reference;
  /** Default `overwrite`. */
  readonly strategy?: SettledStrategy;
}

/** Blobs younger than this may belong to a pull that has not got its name yet; milliseconds. */
const gracePeriod = 60 * 60 * 1000;

/** Where images are kept: `NX_KRAFT_IMAGES`, or below the user's data. */
export function defaultStoreFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const own = environment['NX_KRAFT_IMAGES'];
  if (own !== undefined) return own;
  return join(environment['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'nx-kraft', 'images');
}

/**
 * The images of this machine: an OCI image layout whose index has an entry for each name, with the whole reference as
 * its `org.opencontainers.image.ref.name`. Blobs are shared by all images and go only when nothing needs them.
 */
export class ImageStore {
  readonly layout: Layout;

  private constructor(layout: Layout) {
    this.layout = layout;
  }

  static async open(folder: string = defaultStoreFolder()): Promise<ImageStore> {
    return new ImageStore(await Layout.create(folder));
  }

  /** All names, in order. */
  async images(): Promise<readonly StoredImage[]> {
    const images = (await this.layout.roots()).flatMap((descriptor) => {
      const name = descriptor.annotations?.[annotationKeys.refName];
      return name === undefined ? [] : [{ name, descriptor }];
    });
    return images
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, descriptor }) => ({ reference: parseReference(name), descriptor }));
  }

  /** What a name or digest stands for; undefined when it is not here. */
  async find(reference: Reference): Promise<Descriptor | undefined> {
    const { digest } = reference;
    const images = await this.images();
    const found = images.find((image) =>
      digest === undefined
        ? formatReference(image.reference) === formatReference(reference)
        : image.descriptor.digest === digest && repositoryName(image.reference) === repositoryName(reference),
    );
    return found?.descriptor;
  }

  /** As {@link find}, with the document. @throws OciFault IMAGE_MISSING, DIGEST_MISMATCH */
  async resolve(reference: Reference): Promise<Root> {
    const descriptor = await this.find(reference);
    if (descriptor === undefined) throw missing(reference, this.layout.folder);
    return { descriptor, bytes: await this.layout.readBlob(descriptor.digest) };
  }

  /** Gives what is in the store a name, which it takes from another image if need be. */
  async name(reference: Reference, { mediaType, digest, size }: Descriptor): Promise<void> {
    const name = formatReference(reference);
    const annotations = { [annotationKeys.refName]: name, [annotationKeys.containerdName]: name };
    await this.layout.changeRoots((roots) => [
      ...roots.filter((root) => root.annotations?.[annotationKeys.refName] !== name),
      { mediaType, digest, size, annotations },
    ]);
  }

  /** Gives an image another name as well. @throws OciFault IMAGE_MISSING */
  async tag(existing: Reference, another: Reference): Promise<void> {
    await this.name(another, (await this.resolve(existing)).descriptor);
  }

  /**
   * Takes a name away, or with a digest all names of the repository that stand for it. Blobs stay until
   * {@link prune}.
   *
   * @throws OciFault IMAGE_MISSING
   */
  async remove(reference: Reference): Promise<void> {
    const descriptor = await this.find(reference);
    if (descriptor === undefined) throw missing(reference, this.layout.folder);
    const isGone = ({ reference: other, descriptor: { digest } }: StoredImage) =>
      reference.digest === undefined
        ? formatReference(other) === formatReference(reference)
        : digest === reference.digest && repositoryName(other) === repositoryName(reference);
    const gone = new Set((await this.images()).filter(isGone).map((image) => formatReference(image.reference)));
    await this.layout.changeRoots((roots) =>
      roots.filter((root) => !gone.has(root.annotations?.[annotationKeys.refName] ?? '')),
    );
  }

  /**
   * Removes blobs that no named image needs, and what interrupted work left. What is younger than an hour stays, since
   * a pull or import may be about to name it.
   *
   * @param grace  milliseconds that something without a name may stay
   * @throws OciFault DIGEST_MISMATCH, DOCUMENT_INVALID when a named image is damaged: nothing is removed then
   */
  prune(grace: number = gracePeriod): Promise<Pruned> {
    return pruneLayout(this.layout, grace);
  }

  /**
   * Takes an image over from anywhere, such as the store of `kraft`, whole and under a name.
   *
   * @param strategy  what becomes of an image that has the name: it loses it, it keeps those of its manifests that are
   *   for other platforms together with the new ones, or it makes this fail
   * @throws OciFault IMAGE_EXISTS and those of {@link copyImage}
   */
  async add(
    source: ImageSource,
    root: Root,
    reference: Reference,
    { strategy = 'overwrite', ...options }: Omit<AddOptions, 'reference'> = {},
  ): Promise<StoredImage> {
    const existing = await this.#inTheWay(reference, root.descriptor.digest, strategy);
    const manifests = (await listEntries(source, root)).map((entry) => entry.digest);
    await copyImage(source, root, manifests, this.layout, options);
    const descriptor = existing === undefined ? root.descriptor : await this.#merge(root, existing);
    await this.name(reference, descriptor);
    return { reference, descriptor };
  }

  /**
   * Takes an image over from a layout, such as a package task's output, under the name that it has there or another,
   * with all that is attached to it; see {@link add}.
   *
   * @throws OciFault LAYOUT_INVALID, IMAGE_MISSING, REFERENCE_INVALID and those of {@link add}
   */
  async addLayout(folder: string, { reference, ...options }: AddOptions = {}): Promise<StoredImage> {
    const source = await Layout.open(folder);
    const roots = await source.roots();
    const descriptor = roots.find(isNamed) ?? roots[0];
    if (descriptor === undefined) throw missing(reference, folder);
    const root = { descriptor, bytes: await source.readBlob(descriptor.digest) };
    const added = await this.add(source, root, reference ?? nameOf(descriptor, folder), options);
    await this.#addAttachments(source, descriptor.digest);
    return added;
  }

  /** Another image of the name that is to be merged with; undefined where there is none, or it just loses its name. */
  async #inTheWay(reference: Reference, digest: Digest, asked: SettledStrategy): Promise<Descriptor | undefined> {
    const strategy = typeof asked === 'function' ? await asked(reference, digest) : asked;
    const existing = strategy === 'overwrite' ? undefined : await this.find(reference);
    if (existing === undefined || existing.digest === digest) return undefined;
    if (strategy === 'merge') return existing;
    throw exists(reference, this.layout.folder);
  }

  async #addAttachments(source: Layout, subject: Digest): Promise<void> {
    const attached = await attachedTo(source, subject);
    for (const descriptor of attached) {
      const blobs = new Set<Digest>();
      await addReachable(source, descriptor, blobs);
      for (const digest of blobs) {
        const size = source.sizeOf(digest) ?? 0;
        await receiveBlob(source, { digest, size }, this.layout);
      }
    }
    if (attached.length === 0) return;
    const added = new Set(attached.map((descriptor) => descriptor.digest));
    await this.layout.changeRoots((roots) => [...roots.filter((root) => !added.has(root.digest)), ...attached]);
  }

  async #merge(root: Root, existing: Descriptor): Promise<Descriptor> {
    const older = { descriptor: existing, bytes: await this.layout.readBlob(existing.digest) };
    const source = this.layout;
    const merged = await mergeImages({ source, root }, { source, root: older });
    return this.layout.writeBlob(merged.bytes, merged.descriptor.mediaType);
  }

  /**
   * Takes all images of an `.oci.tar` over, under their names there, or none of them where one must not have its name.
   *
   * @param reference  the name for an archive's only image
   * @throws OciFault IMAGE_EXISTS, LAYOUT_INVALID, DIGEST_MISMATCH, DOCUMENT_INVALID; ArchiveFault
   */
  async importArchive(
    path: string,
    { reference, strategy = 'overwrite' }: Pick<AddOptions, 'reference' | 'strategy'> = {},
  ): Promise<readonly StoredImage[]> {
    const roots = readArchive(path, this.layout);
    const attached = roots.filter((root) => !isNamed(root) && root.artifactType !== undefined);
    const images: StoredImage[] = [];
    for (const descriptor of roots.filter((root) => !attached.includes(root))) {
      const name = reference ?? nameOf(descriptor, path);
      const existing = await this.#inTheWay(name, descriptor.digest, strategy);
      const root = { descriptor, bytes: await this.layout.readBlob(descriptor.digest) };
      images.push({
        reference: name,
        descriptor: existing === undefined ? descriptor : await this.#merge(root, existing),
      });
    }
    for (const image of images) await this.name(image.reference, image.descriptor);
    await this.layout.changeRoots((known) => [
      ...known.filter((root) => !attached.some((other) => other.digest === root.digest)),
      ...attached,
    ]);
    return images;
  }

  /** Writes images with all that is here of them as an `.oci.tar`. @throws OciFault IMAGE_MISSING */
  async exportArchive(references: readonly Reference[], path: string): Promise<void> {
    const roots: Descriptor[] = [];
    const blobs = new Set<Digest>();
    for (const reference of references) {
      const { descriptor } = await this.resolve(reference);
      const attached = await attachedTo(this.layout, descriptor.digest);
      roots.push(namedRoot(descriptor, reference), ...attached);
      for (const root of [descriptor, ...attached]) await addReachable(this.layout, root, blobs);
    }
    await writeArchive(this.layout, roots, blobs, path);
  }
}

/** Writes a layout that is complete, such as a package task's output, as an `.oci.tar`. */
export async function archiveLayout(folder: string, path: string): Promise<void> {
  const layout = await Layout.open(folder);
  const roots = await layout.roots();
  const blobs = new Set<Digest>();
  for (const root of roots) await addReachable(layout, root, blobs);
  await writeArchive(layout, roots, blobs, path);
}

function nameOf({ annotations = {} }: Descriptor, at: string): Reference {
  const name = annotations[annotationKeys.containerdName] ?? annotations[annotationKeys.refName];
  if (name !== undefined && /[/:]/.test(name)) return parseReference(name);
  throw new OciFault('REFERENCE_INVALID', 'the image has no full name there', {
    at,
    hint: 'Say under which name it should be kept.',
  });
}

function missing(reference: Reference | undefined, at: string): OciFault {
  const name = reference === undefined ? 'any image' : formatReference(reference);
  return new OciFault('IMAGE_MISSING', `${name} is not here`, {
    at,
    hint: 'Pull or package it first; "nx-kraft pkg ls" tells what there is.',
  });
}

function exists(reference: Reference, at: string): OciFault {
  return new OciFault('IMAGE_EXISTS', `${formatReference(reference)} is there already`, {
    at,
    hint: 'Choose another name or tag, or the strategy "overwrite" or "merge".',
  });
}
