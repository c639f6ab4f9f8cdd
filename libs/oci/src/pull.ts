import type { BlobSources } from './blob-sources.ts';
import type { Digest } from './digest.ts';
import { formatReference, type Reference } from './reference.ts';
import type { RegistryClient } from './registry/client.ts';
import { Repository } from './registry/repository.ts';
import { type ImageEntry, isWanted, listEntries, selectEntries, type Wanted } from './select.ts';
import type { ImageStore } from './store.ts';
import { requireSignature, type SignaturePolicy } from './supply-chain/signature.ts';
import { copyImage, type TransferOptions } from './transfer.ts';

export interface PullOptions extends TransferOptions {
  /** Which manifests are pulled (default all). */
  readonly wanted?: Wanted;
  /** Platforms in the order in which one is chosen where `wanted` names none (default: all are taken). */
  readonly prefer?: readonly string[];
  /** Remembers where blobs can be mounted from. */
  readonly sources?: BlobSources;
  /** Whose signatures are needed (default none). */
  readonly policy?: SignaturePolicy;
}

export interface PulledImage {
  /** The name in the store. */
  readonly reference: Reference;
  /** Digest of the index, the same as in the registry. */
  readonly digest: Digest;
  /** What was pulled, the newest first. */
  readonly entries: readonly ImageEntry[];
}

/**
 * Pulls an image into the store. The index stays as it is, digest and all, though only some of its manifests may come
 * with it; what is there already is not asked for again, and what broke off goes on.
 *
 * @throws OciFault SIGNATURE_INVALID, PLATFORM_MISSING, DIGEST_MISMATCH, BLOB_TRUNCATED, DOCUMENT_INVALID; RegistryFault
 */
export async function pullImage(
  client: RegistryClient,
  reference: Reference,
  store: ImageStore,
  options: PullOptions = {},
): Promise<PulledImage> {
  const repository = new Repository(client, reference);
  const root = await repository.resolve(reference.digest ?? reference.tag ?? 'latest');
  if (options.policy !== undefined) await requireSignature(client, reference, root.descriptor.digest, options.policy);
  const all = await listEntries(repository, root);
  const { wanted, prefer } = options;
  const fitting = wanted === undefined ? all : selectEntries(all, wanted, formatReference(reference));
  const entries = wanted?.platform === undefined ? preferred(fitting, prefer ?? []) : fitting;
  const received: Digest[] = [];
  const onBlob: TransferOptions['onBlob'] = (blob, outcome) => {
    received.push(blob.digest);
    options.onBlob?.(blob, outcome);
  };
  const manifests = entries.map((entry) => entry.digest);
  await copyImage(repository, root, manifests, store.layout, { ...options, onBlob });
  await store.name(reference, root.descriptor);
  await options.sources?.add(reference, received);
  return { reference, digest: root.descriptor.digest, entries };
}

/** The entries for the first of the platforms that has any; all of them where none has. */
function preferred(entries: readonly ImageEntry[], platforms: readonly string[]): readonly ImageEntry[] {
  const choices = platforms.map((platform) => entries.filter((entry) => isWanted(entry.platform, { platform })));
  return choices.find((choice) => choice.length > 0) ?? entries;
}
