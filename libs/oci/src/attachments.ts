import { encodeIndex, encodeManifest } from './encode.ts';
import { decodeDocument, decodeIndex, decodeManifest } from './decode.ts';
import { Readable } from 'node:stream';
import { type Digest, digestOf } from './digest.ts';
import type { Layout } from './layout.ts';
import { mediaTypes } from './media-types.ts';
import type { Annotations, Descriptor, ImageIndex } from './model.ts';
import { isNamed } from './annotations.ts';
import type { RegistryClient } from './registry/client.ts';
import { Repository } from './registry/repository.ts';
import type { Reference } from './reference.ts';
import type { ImageSource } from './source.ts';

/** A document about an image, such as its list of components. */
export interface Attachment {
  /** What it is for, such as `application/vnd.cyclonedx+json`. */
  readonly artifactType: string;
  /** What its bytes are, where that is something else. */
  readonly mediaType?: string;
  readonly content: Buffer;
  readonly annotations?: Annotations;
}

/**
 * Attaches a document to an image in a layout, as an artifact that names the image as its subject (image-spec 1.1,
 * "artifacts and the subject field"). It goes where the image goes.
 *
 * @param subject  the image's descriptor
 */
export async function attach(layout: Layout, subject: Descriptor, attachment: Attachment): Promise<Descriptor> {
  const { descriptor, blobs } = describe(subject, attachment);
  for (const { bytes, mediaType } of blobs) await layout.writeBlob(bytes, mediaType);
  await layout.changeRoots((roots) => [...roots.filter((root) => root.digest !== descriptor.digest), descriptor]);
  return descriptor;
}

/**
 * Attaches a document to an image that a registry has, as {@link attach} does in a layout.
 *
 * @throws RegistryFault
 */
export async function attachToImage(
  client: RegistryClient,
  reference: Reference,
  subject: Digest,
  attachment: Attachment,
): Promise<Descriptor> {
  const repository = new Repository(client, reference);
  const { descriptor, blobs } = describe((await repository.resolve(subject)).descriptor, attachment);
  const manifest = blobs.at(-1)?.bytes ?? Buffer.alloc(0);
  for (const { bytes } of blobs.slice(0, -1)) {
    const open = (offset: number) => Promise.resolve(Readable.from([bytes.subarray(offset)]));
    await repository.upload({ digest: digestOf(bytes), size: bytes.length }, open);
  }
  const isListed = await repository.putManifest(descriptor.digest, manifest, descriptor.mediaType);
  if (!isListed) await listReferrer(repository, subject, descriptor);
  return descriptor;
}

/** The blobs of an artifact, its manifest last, and what names it. */
function describe(
  subject: Descriptor,
  { artifactType, mediaType = artifactType, content, annotations }: Attachment,
): {
  readonly descriptor: Descriptor;
  readonly blobs: readonly { readonly bytes: Buffer; readonly mediaType: string }[];
} {
  const nothing = Buffer.from('{}');
  const more = annotations === undefined ? {} : { annotations };
  const manifest = encodeManifest({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType,
    config: { mediaType: mediaTypes.empty, digest: digestOf(nothing), size: nothing.length },
    layers: [{ mediaType, digest: digestOf(content), size: content.length }],
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
    ...more,
  });
  const named = { mediaType: mediaTypes.manifest, digest: digestOf(manifest), size: manifest.length };
  return {
    descriptor: { ...named, ...more, artifactType },
    blobs: [
      { bytes: nothing, mediaType: mediaTypes.empty },
      { bytes: content, mediaType },
      { bytes: manifest, mediaType: mediaTypes.manifest },
    ],
  };
}

/** The artifacts of a layout that are about this image; they have no name of their own. */
export async function attachedTo(layout: Layout, subject: Digest): Promise<readonly Descriptor[]> {
  const found: Descriptor[] = [];
  for (const root of await layout.roots()) {
    if (!isNamed(root) && (await subjectOf(layout, root)) === subject) found.push(root);
  }
  return found;
}

/** What an artifact is about; undefined for what is no artifact. */
export async function subjectOf(layout: Layout, { digest, mediaType }: Descriptor): Promise<Digest | undefined> {
  const document = decodeDocument(await layout.readBlob(digest), mediaType, layout.blobPath(digest));
  return (document.kind === 'index' ? document.index : document.manifest).subject?.digest;
}

/** Pushes all that is attached to an image in a layout. @throws RegistryFault */
export async function pushAttachments(layout: Layout, subject: Digest, repository: Repository): Promise<void> {
  for (const descriptor of await attachedTo(layout, subject)) {
    if ((await repository.digestOf(descriptor.digest)) !== undefined) continue;
    const bytes = await layout.readManifest(descriptor.digest);
    const { config, layers } = decodeManifest(bytes, layout.name);
    for (const blob of [config, ...layers]) {
      await repository.upload(blob, (offset) => layout.openBlob(blob.digest, offset));
    }
    const isListed = await repository.putManifest(descriptor.digest, bytes, descriptor.mediaType);
    if (!isListed) await listReferrer(repository, subject, descriptor);
  }
}

/**
 * All artifacts that a registry has about an image.
 *
 * @throws RegistryFault; OciFault DOCUMENT_INVALID, DIGEST_MISMATCH
 */
export async function fetchAttachments(
  client: RegistryClient,
  reference: Reference,
  subject: Digest,
): Promise<readonly Attachment[]> {
  const repository = new Repository(client, reference);
  const { manifests } = await readReferrers(repository, subject);
  const attachments: Attachment[] = [];
  for (const { digest } of manifests) attachments.push(await readAttachment(repository, digest));
  return attachments;
}

async function readAttachment(source: ImageSource, digest: Digest): Promise<Attachment> {
  const { artifactType, config, layers, annotations } = decodeManifest(await source.readManifest(digest), source.name);
  const [layer] = layers;
  return {
    artifactType: artifactType ?? config.mediaType,
    ...(layer === undefined ? {} : { mediaType: layer.mediaType }),
    content: layer === undefined ? Buffer.alloc(0) : await source.readBlob(layer.digest),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

/** For registries that keep no list themselves there is one under a tag (distribution-spec 1.1, "Referrers tag schema"). */
async function listReferrer(repository: Repository, subject: Digest, descriptor: Descriptor): Promise<void> {
  const tag = subject.replace(':', '-');
  const { manifests } = await readTaggedReferrers(repository, tag);
  if (manifests.some(({ digest }) => digest === descriptor.digest)) return;
  const index: ImageIndex = { ...noReferrers, manifests: [...manifests, descriptor] };
  await repository.putManifest(tag, encodeIndex(index), mediaTypes.index);
}

const noReferrers: ImageIndex = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] };

async function readReferrers(repository: Repository, subject: Digest): Promise<ImageIndex> {
  const listed = await repository.referrers(subject);
  if (listed !== undefined) return decodeIndex(listed, repository.name);
  return readTaggedReferrers(repository, subject.replace(':', '-'));
}

async function readTaggedReferrers(repository: Repository, tag: string): Promise<ImageIndex> {
  if ((await repository.digestOf(tag)) === undefined) return noReferrers;
  return decodeIndex((await repository.resolve(tag)).bytes, repository.name);
}
