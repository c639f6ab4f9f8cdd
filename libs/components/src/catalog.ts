import { ComponentFault } from './fault.ts';
import { fetchComponent } from './fetch.ts';
import { type GitRef, listRefs } from './git.ts';
import { defaultIndex, type IndexOptions, loadIndex, loadManifest, type PlacedManifest } from './indexes.ts';
import { bareName, type ComponentRequest, componentKey, defaultRepository } from './request.ts';
import type { Lock } from './lock.ts';
import type { FetchOptions, Resolution } from './resolution.ts';
import { resolveComponent, type ResolveOptions } from './resolve.ts';
import type { Store } from './store.ts';
import { formatTable } from './table.ts';
import { keepDownload } from './upstream-pins.ts';
import { hideCredentials } from './url.ts';

/** A component as an index or its repository describes it. */
export interface ComponentInfo {
  /** `core`, `lib`, `app`, `arch` or `plat`. */
  readonly type: string;
  readonly name: string;
  readonly description?: string;
  /** Where its sources come from: a repository, as a rule. */
  readonly origin?: string;
  /** Channels, the default one first, each with the version that it is now if that is known. */
  readonly channels: readonly { readonly name: string; readonly latest?: string }[];
  /** Releases, as the index has them; from a repository, the newest first. */
  readonly versions: readonly string[];
  /** The index or repository that says so, without credentials. */
  readonly from: string;
}

export interface CatalogOptions extends IndexOptions {
  /** Default: KraftKit's. */
  readonly indexes?: readonly string[];
}

/**
 * Lists all components of all indexes, by type and name. Of a component in several indexes the first one's entry counts;
 * an index that cannot be read is passed over with a warning.
 */
export async function listComponents(options: CatalogOptions): Promise<readonly ComponentInfo[]> {
  const found = new Map<string, ComponentInfo>();
  for (const index of options.indexes ?? [defaultIndex]) {
    for (const info of await listIndex(index, options).catch((error: unknown) => passOver(index, error, options))) {
      const key = `${info.type}/${info.name}`;
      if (!found.has(key)) found.set(key, info);
    }
  }
  return [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, info]) => info);
}

async function listIndex(index: string, options: CatalogOptions): Promise<readonly ComponentInfo[]> {
  const entries = await loadIndex(index, options);
  return Promise.all(entries.map(async (entry) => toInfo(await loadManifest(entry, options))));
}

function toInfo({ manifest, address }: PlacedManifest): ComponentInfo {
  const { type, name, description, origin, channels, versions } = manifest;
  const byDefault = channels.toSorted((a, b) => Number(b.default === 'true') - Number(a.default === 'true'));
  return {
    type,
    name,
    ...(description === undefined ? {} : { description }),
    ...(origin === undefined ? {} : { origin: hideCredentials(origin) }),
    channels: byDefault.map((channel) => ({
      name: channel.name,
      ...(channel.latest === undefined ? {} : { latest: channel.latest }),
    })),
    versions: versions.filter((version) => version.type !== 'gitsha').map(({ version }) => version),
    from: address,
  };
}

/** The list as a table for people. */
export function formatComponents(components: readonly ComponentInfo[]): string {
  const rows = components.map(({ type, name, channels, versions, description = '' }) => [
    type,
    name,
    channels.map((channel) => channel.name).join(', '),
    versions[0] ?? channels[0]?.latest ?? '',
    description,
  ]);
  return formatTable(['TYPE', 'NAME', 'CHANNELS', 'VERSION', 'DESCRIPTION'], rows);
}

/**
 * Describes one component: what the first index says that knows it, else what branches and releases its repository has.
 *
 * @throws ComponentFault COMPONENT_NOT_FOUND and what servers fail with
 */
export async function describeComponent(request: ComponentRequest, options: CatalogOptions): Promise<ComponentInfo> {
  const type = request.type === 'library' ? 'lib' : request.type === 'template' ? 'app' : 'core';
  const name = bareName(request);
  if (request.source === undefined) {
    for (const index of options.indexes ?? [defaultIndex]) {
      const entries = await loadIndex(index, options).catch((error: unknown) => passOver(index, error, options));
      const entry = entries.find(({ manifest }) => manifest.name === name && manifest.type === type);
      if (entry !== undefined) return toInfo(await loadManifest(entry, options));
    }
  }
  const url = request.source ?? defaultRepository(request);
  const clean = hideCredentials(url);
  if (clean !== url) options.store.credentials.set(clean, url);
  const refs = await listRefs(options.store, clean, [], options.signal);
  const { channels, versions } = sortRefs(refs);
  return { type, name, origin: clean, channels, versions, from: clean };
}

function passOver(index: string, error: unknown, { onProgress }: CatalogOptions): readonly never[] {
  if (!(error instanceof ComponentFault)) throw error;
  const message = `index ${hideCredentials(index)} is passed over: ${error.message}`;
  onProgress?.({ kind: 'warning', component: '', message });
  return [];
}

function sortRefs(refs: readonly GitRef[]): Pick<ComponentInfo, 'channels' | 'versions'> {
  const names = (prefix: string): string[] =>
    refs.filter(({ ref }) => ref.startsWith(prefix)).map(({ ref }) => ref.slice(prefix.length));
  const isChannel = (name: string): boolean => name === 'stable' || name === 'staging';
  const byNumber = new Intl.Collator('en', { numeric: true });
  return {
    channels: names('refs/heads/')
      .toSorted((a, b) => Number(isChannel(b)) - Number(isChannel(a)) || (a < b ? -1 : 1))
      .map((name) => ({ name })),
    versions: names('refs/tags/')
      .map((tag) => tag.replace(/^RELEASE-/, ''))
      .toSorted((a, b) => byNumber.compare(b, a)),
  };
}

/** The description as text for people. */
export function formatComponent({ type, name, description, origin, channels, versions, from }: ComponentInfo): string {
  const fields: readonly (readonly [string, string | undefined])[] = [
    ['component', `${type}/${name}`],
    ['description', description],
    ['origin', origin],
    [
      'channels',
      channels.map((one) => (one.latest === undefined ? one.name : `${one.name} (${one.latest})`)).join(', '),
    ],
    ['versions', versions.join(', ')],
    ['from', from],
  ];
  const known = fields.filter((field): field is readonly [string, string] => field[1] !== undefined && field[1] !== '');
  return known.map(([label, value]) => `${label.padEnd(13)}${value.replace(/\p{Cc}+/gu, ' ')}\n`).join('');
}

/** How an index answered. */
export interface IndexStatus {
  /** Without credentials. */
  readonly index: string;
  /** Absent when it could not be read. */
  readonly components?: number;
  /** Why it could not be read. */
  readonly problem?: string;
}

/** Asks every index, and every manifest that they point to, for news; keeps the answers for work without a network. */
export async function updateIndexes(options: CatalogOptions): Promise<readonly IndexStatus[]> {
  const indexes = options.indexes ?? [defaultIndex];
  return Promise.all(
    indexes.map(async (index): Promise<IndexStatus> => {
      try {
        const { length } = await listIndex(index, options);
        return { index: hideCredentials(index), components: length };
      } catch (error) {
        if (!(error instanceof ComponentFault)) throw error;
        return { index: hideCredentials(index), problem: error.message };
      }
    }),
  );
}

/** The answers as a table for people. */
export function formatIndexes(statuses: readonly IndexStatus[]): string {
  const rows = statuses.map(({ index, components, problem }) => [index, String(components ?? ''), problem ?? 'ok']);
  return formatTable(['INDEX', 'COMPONENTS', 'STATUS'], rows);
}

/** A component that was fetched. */
export interface PulledComponent {
  readonly key: string;
  readonly resolution: Resolution;
  /** Absolute. */
  readonly folder: string;
}

/** Resolves components and fetches their sources into the store. */
export async function pullComponents(
  requests: readonly ComponentRequest[],
  options: ResolveOptions,
): Promise<readonly PulledComponent[]> {
  return Promise.all(
    requests.map(async (request) => {
      const resolution = await resolveComponent(request, options);
      const { folder } = await fetchComponent(resolution, options.store, options);
      return { key: componentKey(request), resolution, folder };
    }),
  );
}

/** Fetches the sources of all components that a lock has into the store, and what it has of those that they fetch. */
export function fetchLocked(
  { components }: Lock,
  { store, ...options }: FetchOptions & { readonly store: Store },
): Promise<readonly PulledComponent[]> {
  return Promise.all(
    Object.entries(components).map(async ([key, resolution]) => {
      const { folder, downloads = {} } = await fetchComponent(resolution, store, options);
      for (const [name, promised] of Object.entries(downloads))
        await keepDownload(store, name, { promised, ...options });
      return { key, resolution, folder };
    }),
  );
}

/** What was pulled as a table for people. */
export function formatPulled(pulled: readonly PulledComponent[]): string {
  const rows = pulled.map(({ key, resolution, folder }) => [
    key,
    resolution.kind === 'folder' ? 'local' : (resolution.revision ?? resolution.content).slice(0, 12),
    folder,
  ]);
  return formatTable(['COMPONENT', 'REVISION', 'FOLDER'], rows);
}
