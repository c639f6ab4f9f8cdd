import { encodeIndex, encodeManifest } from './encode.ts';
import { decodeDocument, decodeIndex, decodeManifest } from './decode.ts';
import type { Digest } from './digest.ts';
import type { Layout } from './layout.ts';
import { mediaTypes } from './media-types.ts';
import type { Annotations, Descriptor, ImageIndex, ImageManifest } from './model.ts';
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
  const { artifactType, mediaType = artifactType, content, annotations } = attachment;
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType,
    config: await layout.writeBlob(Buffer.from('{}'), mediaTypes.empty),
    layers: [await layout.writeBlob(content, mediaType)],
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
    ...(annotations === undefined ? {} : { annotations }),
  };
  const written = await layout.writeBlob(encodeManifest(manifest), mediaTypes.manifest);
  const descriptor = { ...written, ...(annotations === undefined ? {} : { annotations }), artifactType };
  await layout.changeRoots((roots) => [...roots.filter((root) => root.digest !== descriptor.digest), descriptor]);
  return descriptor;
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
