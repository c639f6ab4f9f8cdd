import type { RuntimeImage } from './package-plan.ts';
import type { BlobFolder } from './blob-folder.ts';
import { decodeManifest } from './decode.ts';
import type { Digest } from './digest.ts';
import { pullImage, type PullOptions } from './pull.ts';
import { formatReference, type Reference } from './reference.ts';
import type { RegistryClient } from './registry/client.ts';
import { type ImageEntry, listEntries, selectEntries, type Wanted } from './select.ts';
import type { ImageStore } from './store.ts';

/** A runtime that is in the store as a whole. */
export interface FoundRuntime extends RuntimeImage {
  readonly entry: ImageEntry;
  /** Digest of the index that its name stands for, to pin it by. */
  readonly index: Digest;
}

/**
 * The runtime of this name for a platform, architecture and KConfig: out of the store, or pulled if it is not there
 * whole. A store that has it is never asked to look for a newer one.
 *
 * @param client  where it is pulled; without one nothing is asked of the network
 * @throws OciFault IMAGE_MISSING, PLATFORM_MISSING; RegistryFault
 */
export async function findRuntime(
  reference: Reference,
  wanted: Wanted,
  store: ImageStore,
  client?: RegistryClient,
  options: Omit<PullOptions, 'wanted'> = {},
): Promise<FoundRuntime> {
  const local = await findLocally(reference, wanted, store);
  if (local !== undefined) return local;
  // Says what is missing, and what to do.
  if (client === undefined) await store.resolve(reference);
  else await pullImage(client, reference, store, { ...options, wanted });
  const root = await store.resolve(reference);
  const [entry] = selectEntries(await listEntries(store.layout, root), wanted, formatReference(reference));
  return runtimeOf(store, root.descriptor.digest, entry as ImageEntry);
}

async function findLocally(reference: Reference, wanted: Wanted, store: ImageStore): Promise<FoundRuntime | undefined> {
  const descriptor = await store.find(reference);
  if (descriptor === undefined) return undefined;
  const root = await store.resolve(reference);
  const [entry] = selectEntries(await listEntries(store.layout, root), wanted, formatReference(reference));
  if (entry === undefined || !(await isWhole(store.layout, entry.digest))) return undefined;
  return runtimeOf(store, descriptor.digest, entry);
}

/** Whether a manifest is there with all that it needs. */
export async function isWhole(folder: BlobFolder, digest: Digest): Promise<boolean> {
  if (folder.sizeOf(digest) === undefined) return false;
  const { config, layers } = decodeManifest(await folder.readManifest(digest), folder.name);
  return [config, ...layers].every((blob) => folder.sizeOf(blob.digest) !== undefined);
}

function runtimeOf(store: ImageStore, index: Digest, entry: ImageEntry): FoundRuntime {
  return { source: store.layout, digest: entry.digest, entry, index };
}
