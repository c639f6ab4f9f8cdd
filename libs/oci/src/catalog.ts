import { hasErrorCode } from '@nx-kraft/base';
import type { BlobFolder } from './blob-folder.ts';
import { decodeManifest } from './decode.ts';
import { type Digest, hexOf } from './digest.ts';
import type { KraftStore } from './kraft-store.ts';
import type { Platform } from './model.ts';
import { platformName } from './platform.ts';
import { pullImage } from './pull.ts';
import { formatReference, parseReference, type Reference, repositoryName } from './reference.ts';
import type { RegistryClient } from './registry/client.ts';
import { Repository } from './registry/repository.ts';
import { isWhole } from './runtime.ts';
import { isWanted, listEntries, type Root } from './select.ts';
import type { ImageSource } from './source.ts';
import type { ImageStore } from './store.ts';
import { SummaryCache } from './summary-cache.ts';
import type { Column } from './table.ts';
import { forEachParallel, sumSizes } from './transfer.ts';

/** One manifest of one image in a listing. */
export interface CatalogRow {
  readonly reference: Reference;
  /** Of the manifest. */
  readonly digest: Digest;
  readonly index: Digest;
  /** `qemu/x86_64` */
  readonly platform: string;
  /** Bytes of all layers; undefined when the manifest is not here. */
  readonly size: number | undefined;
  /** Whether all that is needed to run it is in the store. */
  readonly isPulled: boolean;
}

/** The columns of KraftKit's listing. Sizes count 1,000 bytes as a kilobyte, as there. */
export const catalogColumns: readonly Column<CatalogRow>[] = [
  { heading: 'TYPE', value: () => 'app' },
  { heading: 'NAME', value: ({ reference }) => repositoryName(reference), canShrink: true },
  { heading: 'VERSION', value: ({ reference }) => reference.tag ?? '', canShrink: true },
  { heading: 'FORMAT', value: () => 'oci' },
  { heading: 'DIGEST', value: ({ digest }) => hexOf(digest).slice(0, 7) },
  { heading: 'PLAT', value: ({ platform }) => platform },
  { heading: 'SIZE', value: ({ size }) => (size === undefined ? 'n/a' : formatSize(size)) },
  { heading: 'PULLED', value: ({ isPulled }) => (isPulled ? 'yes' : 'never') },
];

export interface CatalogFilter {
  readonly platform?: string;
  readonly architecture?: string;
  /** `*` and `?` stand for any characters; matched against the name with its tag, with and without the registry. */
  readonly name?: string;
}

/**
 * What is in the store, in order of names. Asks nothing of the network. Remembers what it has read of indexes and
 * manifests, which never change, beside the store.
 *
 * @throws OciFault DIGEST_MISMATCH, DOCUMENT_INVALID when an image is damaged
 */
export async function listStore(store: ImageStore, filter: CatalogFilter = {}): Promise<readonly CatalogRow[]> {
  const files = new Set(await store.layout.blobNames());
  const summaries = await SummaryCache.open(store.layout);
  const rows: CatalogRow[] = [];
  for (const { reference, descriptor } of await store.images()) {
    if (!matchesName(reference, filter.name)) continue;
    for (const { digest, ...platform } of await summaries.entriesOf(descriptor)) {
      if (!isListed(platform, filter)) continue;
      const manifest = files.has(hexOf(digest)) ? await summaries.manifestOf(digest) : undefined;
      const isPulled = manifest !== undefined && manifest.layers.every((layer) => files.has(hexOf(layer)));
      const size = manifest?.size;
      rows.push({ reference, digest, index: descriptor.digest, platform: platformName(platform), size, isPulled });
    }
  }
  await summaries.save(files);
  return rows;
}

/**
 * What registries have under these names now, whether it is in the store or not.
 *
 * @throws RegistryFault; OciFault DOCUMENT_INVALID, DIGEST_MISMATCH
 */
export async function listRemote(
  client: RegistryClient,
  references: readonly Reference[],
  store: ImageStore,
  filter: CatalogFilter = {},
): Promise<readonly CatalogRow[]> {
  const rows: CatalogRow[] = [];
  for (const reference of references) {
    const repository = new Repository(client, reference);
    const root = await repository.resolve(reference.digest ?? reference.tag ?? 'latest');
    rows.push(...(await rowsOf(repository, root, reference, store.layout, filter)));
  }
  return rows;
}

/**
 * What a registry has now under the tag `latest` of all its repositories, in order of names.
 *
 * @throws RegistryFault when the registry gives no list, or fails
 */
export async function listRegistry(
  client: RegistryClient,
  registry: string,
  store: ImageStore,
  filter: CatalogFilter = {},
): Promise<readonly CatalogRow[]> {
  const references = (await client.repositories(registry))
    .map((name) => parseReference(`${registry}/${name}`))
    .filter((reference) => matchesName(reference, filter.name));
  const rows: CatalogRow[] = [];
  await forEachParallel(references, async (reference) => {
    try {
      rows.push(...(await listRemote(client, [reference], store, filter)));
    } catch (error) {
      if (!isOther(error)) throw error;
    }
  });
  return rows.toSorted((a, b) => (formatReference(a.reference) < formatReference(b.reference) ? -1 : 1));
}

/** Other things live in registries, too, and other tags. */
function isOther(error: unknown): boolean {
  return hasErrorCode(error, 'REGISTRY_MISSING', 'DOCUMENT_INVALID');
}

/**
 * What the store of `kraft` has, in order of names.
 *
 * @throws OciFault DIGEST_MISMATCH, DOCUMENT_INVALID, BLOB_MISSING when an image is damaged
 */
export async function listKraftStore(kraft: KraftStore, filter: CatalogFilter = {}): Promise<readonly CatalogRow[]> {
  const rows: CatalogRow[] = [];
  for (const image of await kraft.images()) {
    if (!matchesName(image.reference, filter.name)) continue;
    rows.push(...(await rowsOf(kraft, image, image.reference, kraft, filter)));
  }
  return rows;
}

/** @param here  where an image must be whole to count as pulled */
async function rowsOf(
  source: ImageSource,
  root: Root,
  reference: Reference,
  here: BlobFolder,
  filter: CatalogFilter,
): Promise<readonly CatalogRow[]> {
  const rows: CatalogRow[] = [];
  for (const { digest, platform } of await listEntries(source, root)) {
    if (!isListed(platform, filter)) continue;
    const { layers } = decodeManifest(await source.readManifest(digest), source.name);
    const [size, isPulled] = [sumSizes(layers), await isWhole(here, digest)];
    rows.push({ reference, digest, index: root.descriptor.digest, platform: platformName(platform), size, isPulled });
  }
  return rows;
}

/** What an update of the catalogue did. */
export interface CatalogUpdate {
  readonly updated: readonly Reference[];
  /** Repositories without an image of the tag `latest`. */
  readonly skipped: readonly Reference[];
}

/**
 * Brings what all repositories of a registry have as `latest` into the store, without layers, so that it can be listed
 * and chosen from without the network.
 *
 * @throws RegistryFault when the registry gives no list, or fails
 */
export async function updateCatalog(
  client: RegistryClient,
  registry: string,
  store: ImageStore,
): Promise<CatalogUpdate> {
  const references = (await client.repositories(registry)).map((name) => parseReference(`${registry}/${name}`));
  const updated: Reference[] = [];
  const skipped: Reference[] = [];
  await forEachParallel(references, async (reference) => {
    try {
      await pullImage(client, reference, store, { withoutLayers: true });
      updated.push(reference);
    } catch (error) {
      if (!isOther(error)) throw error;
      skipped.push(reference);
    }
  });
  return { updated, skipped };
}

/** Bytes for people, in steps of 1,000: `1.5 MB`. */
export function formatSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 || value >= 99.95 ? value.toFixed(0) : value.toFixed(1)} ${units[unit]}`;
}

/** Containers for urunc are another form of the unikernel beside them. */
function isListed(platform: Platform, filter: CatalogFilter): boolean {
  return platform.os !== 'linux' && isWanted(platform, filter);
}

function matchesName(reference: Reference, pattern: string | undefined): boolean {
  if (pattern === undefined) return true;
  const full = formatReference(reference);
  const names = [full, full.slice(reference.registry.length + 1), repositoryName(reference), reference.repository];
  const source = pattern.replaceAll(/[.*+?^${}()|[\]\\]/g, (character) =>
    character === '*' ? '.*' : character === '?' ? '.' : `\\${character}`,
  );
  const expression = new RegExp(`^${source}$`);
  return names.some((name) => expression.test(name));
}
