import { pushAttachments } from './attachments.ts';
import { mergeImages } from './compose-index.ts';
import { decodeDocument } from './decode.ts';
import type { Digest } from './digest.ts';
import { OciFault } from './fault.ts';
import type { Layout } from './layout.ts';
import type { Descriptor } from './model.ts';
import { formatReference, type Reference } from './reference.ts';
import type { RegistryClient } from './registry/client.ts';
import { Repository } from './registry/repository.ts';
import type { Root } from './select.ts';
import type { Strategy } from './store.ts';
import type { Blob } from './source.ts';
import type { BlobSources } from './blob-sources.ts';
import { counted, forEachParallel, sumSizes, type TransferOptions } from './transfer.ts';

export interface PushOptions extends TransferOptions {
  /** Remembers where blobs can be mounted from. */
  readonly sources?: BlobSources;
  /**
   * What becomes of an image that the registry has under the name (default `overwrite`). With `merge` machines of
   * different architectures can push their parts of one image, one after the other.
   */
  readonly strategy?: Strategy;
}

export interface PushedImage {
  readonly reference: string;
  readonly digest: Digest;
  /** Whether the registry had it already, so that nothing was sent. */
  readonly wasThere: boolean;
}

/**
 * Pushes an image: blobs that the repository lacks, then manifests, and the index last, so that no one ever sees an
 * image without its parts. Bytes and digests stay as they are. What is attached to the image goes with it.
 *
 * @param reference  where to; its tag, or the digest if it has none
 * @throws OciFault IMAGE_EXISTS; BLOB_MISSING when parts are neither here nor there, DIGEST_MISMATCH; RegistryFault
 */
export async function pushImage(
  client: RegistryClient,
  source: Layout,
  root: Root,
  reference: Reference,
  options: PushOptions = {},
): Promise<PushedImage> {
  const repository = new Repository(client, reference);
  const name = reference.tag ?? root.descriptor.digest;
  const there = await repository.digestOf(name);
  if (there === root.descriptor.digest) {
    await pushAttachments(source, there, repository);
    return { reference: formatReference(reference), digest: there, wasThere: true };
  }
  const merged = await applyStrategy(options.strategy ?? 'overwrite', source, root, repository, reference, there);
  const { digest, mediaType } = merged.descriptor;

  const manifests = await missingManifests(source, repository, merged);
  const mountable = await options.sources?.repositoriesWith(reference.registry);
  const blobs = new Map(manifests.flatMap(({ blobs }) => blobs.map((blob) => [blob.digest, blob])));
  options.onTotal?.(sumSizes([...blobs.values()]));
  await forEachParallel([...blobs.values()], async (blob) => {
    const open = async (offset: number) => counted(await source.openBlob(blob.digest, offset), options.onBytes);
    const outcome = await repository.upload(blob, open, mountable?.(blob.digest));
    options.onBlob?.(blob, outcome);
  });
  await forEachParallel(manifests, async ({ descriptor, bytes }) => {
    if (descriptor.digest !== digest) await repository.putManifest(descriptor.digest, bytes, descriptor.mediaType);
  });
  await repository.putManifest(name, merged.bytes, mediaType);
  await pushAttachments(source, digest, repository);
  await options.sources?.add(reference, [...blobs.keys()]);
  return { reference: formatReference(reference), digest, wasThere: digest === there };
}

async function applyStrategy(
  strategy: Strategy,
  source: Layout,
  root: Root,
  repository: Repository,
  reference: Reference,
  there: Digest | undefined,
): Promise<Root> {
  if (there === undefined || strategy === 'overwrite') return root;
  if (strategy === 'merge') {
    const existing = { source: repository, root: await repository.resolve(there) };
    return mergeImages({ source, root }, existing);
  }
  throw new OciFault('IMAGE_EXISTS', 'the registry has an image of this name', {
    at: formatReference(reference),
    hint: 'Choose another tag, or the strategy "overwrite" or "merge".',
  });
}

interface ManifestParts {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
  readonly blobs: readonly Blob[];
}

/** The manifests that the repository lacks, with the blobs that they need. */
async function missingManifests(source: Layout, repository: Repository, root: Root): Promise<readonly ManifestParts[]> {
  const document = decodeDocument(root.bytes, root.descriptor.mediaType, source.name);
  const descriptors = document.kind === 'index' ? document.index.manifests : [root.descriptor];
  const missing: ManifestParts[] = [];
  for (const descriptor of descriptors) {
    if ((await repository.digestOf(descriptor.digest)) !== undefined) continue;
    const bytes = await source.readManifest(descriptor.digest);
    const child = decodeDocument(bytes, descriptor.mediaType, source.name);
    const blobs = child.kind === 'manifest' ? [child.manifest.config, ...child.manifest.layers] : [];
    missing.push({ descriptor, bytes, blobs });
  }
  return missing;
}
