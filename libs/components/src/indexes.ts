import { pathToFileURL } from 'node:url';
import { isArchiveName } from './archive-name.ts';
import { downloadText, type Validators } from './download.ts';
import { ComponentFault } from './fault.ts';
import type { Index, Manifest } from './manifest.ts';
import type { ComponentProgress } from './resolution.ts';
import { type ComponentRequest, type ComponentType, defaultChannel } from './request.ts';
import { once, recall, remember, type Store } from './store.ts';
import { hideCredentials } from './url.ts';

/** KraftKit's own index. */
export const defaultIndex = 'https://manifests.kraftkit.sh/index.yaml';

/** Where an index says that a version of a component is; URLs are without credentials. */
export type IndexedOrigin =
  | { readonly kind: 'git'; readonly url: string; readonly version: string | undefined }
  | { readonly kind: 'tarball'; readonly url: string; readonly sha256: string | undefined };

export interface IndexOptions {
  readonly store: Store;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ComponentProgress) => void) | undefined;
}

const manifestTypes: Readonly<Record<ComponentType, string>> = { core: 'core', library: 'lib', template: 'app' };

/**
 * Looks a component up in indexes, in their order. An index that cannot be reached or read is told as a warning and
 * passed over.
 *
 * @param indexes  URLs or paths of `index.yaml` files or of manifests, and git URLs of single components
 * @param version  undefined for the default channel
 * @returns undefined when none knows it
 */
export async function findInIndexes(
  request: Pick<ComponentRequest, 'type' | 'name'>,
  version: string | undefined,
  indexes: readonly string[],
  options: IndexOptions,
): Promise<IndexedOrigin | undefined> {
  for (const address of indexes) {
    const manifest = await findManifest(request, address, options);
    const origin = manifest === undefined ? undefined : pickVersion(options.store, manifest, version);
    if (origin !== undefined) return origin;
  }
  return undefined;
}

/** A manifest with the address that its own addresses are relative to. */
export interface PlacedManifest {
  readonly manifest: Manifest;
  readonly address: string;
}

async function findManifest(
  request: Pick<ComponentRequest, 'type' | 'name'>,
  index: string,
  options: IndexOptions,
): Promise<PlacedManifest | undefined> {
  // One answer, and one warning, for everybody who asks this index.
  const list = await once(options.store, `usable index ${index}`, () => loadUsable(index, options));
  const type = manifestTypes[request.type];
  // People also write the name of the repository, such as lib-musl.
  const names = [request.name, request.name.replace(/^(lib|app)-/, '')];
  const entry = names
    .flatMap((name) => list?.find(({ manifest }) => manifest.name === name && manifest.type === type) ?? [])
    .at(0);
  return entry === undefined ? undefined : await loadManifest(entry, options);
}

async function loadUsable(index: string, options: IndexOptions): Promise<readonly PlacedManifest[] | undefined> {
  try {
    return await loadIndex(index, options);
  } catch (error) {
    if (!(error instanceof ComponentFault)) throw error;
    const message = `index ${hideCredentials(index)} is passed over: ${error.message}`;
    options.onProgress?.({ kind: 'warning', component: '', message });
    return undefined;
  }
}

/**
 * Loads an index: what it lists, not yet the manifests that it points to. A server is asked once per store and process;
 * when it says that nothing changed, or when it cannot be reached, the text that it gave before is used.
 *
 * @throws ComponentFault COMPONENT_BAD_INDEX, COMPONENT_NOT_FOUND, COMPONENT_UNREACHABLE
 */
export async function loadIndex(index: string, options: IndexOptions): Promise<readonly PlacedManifest[]> {
  if (/\.git$/.test(index)) return [ofRepository(index)];
  const address = indexAddress(options.store, index);
  const { manifests } = await loadYaml(address, options);
  return manifests.map((manifest) => ({ manifest, address }));
}

/** Loads the rest of a manifest that an index only points to. */
export async function loadManifest(entry: PlacedManifest, options: IndexOptions): Promise<PlacedManifest> {
  const { name, type, manifest: link } = entry.manifest;
  if (link === undefined) return entry;
  const address = join(options.store, entry.address, link);
  const { manifests } = await loadYaml(address, options);
  const manifest = manifests.find((other) => other.name === name && other.type === type);
  if (manifest !== undefined) return { manifest, address };
  throw new ComponentFault('COMPONENT_BAD_INDEX', `it says nothing about ${type}/${name}`, { at: address });
}

function indexAddress(store: Store, index: string): string {
  const url = /^(https?|file):/i.test(index) ? index : pathToFileURL(index).href;
  const clean = hideCredentials(url);
  if (clean !== url) store.credentials.set(clean, url);
  return clean;
}

/** An address relative to another; credentials go with it as long as the host is the same. */
function join(store: Store, base: string, address: string): string {
  const url = new URL(address, base);
  const full = store.credentials.get(base);
  const clean = hideCredentials(url.href);
  if (full !== undefined && new URL(full).host === url.host) {
    const { username, password } = new URL(full);
    store.credentials.set(clean, Object.assign(url, { username, password }).href);
  }
  return clean;
}

function loadYaml(address: string, options: IndexOptions): Promise<Index> {
  return once(options.store, `index ${address}`, async () => {
    const text = await loadText(address, options);
    // Its parsers are loaded only now: where all is locked or local, nobody reads an index.
    const { parseIndex } = await import('./manifest.ts');
    return parseIndex(text, address);
  });
}

/** How long a server may take to answer before what is known is used, in milliseconds. */
const patience = 15_000;

async function loadText(address: string, { store, signal, onProgress }: IndexOptions): Promise<string> {
  const known = await recall<{ text: string; validators: Validators }>(store, 'indexes', address);
  const limit = AbortSignal.any([AbortSignal.timeout(patience), ...(signal === undefined ? [] : [signal])]);
  try {
    const answer = await downloadText(store, address, { validators: known?.validators, signal: limit });
    if (answer === undefined) return known?.text ?? '';
    await remember(store, 'indexes', address, answer);
    return answer.text;
  } catch (error) {
    signal?.throwIfAborted();
    const fault = asFault(error, address);
    if (known === undefined || fault.code !== 'COMPONENT_UNREACHABLE') throw fault;
    const message = `index ${address} cannot be reached; its last known text is used`;
    onProgress?.({ kind: 'warning', component: '', message });
    return known.text;
  }
}

function asFault(error: unknown, at: string): ComponentFault {
  if (error instanceof ComponentFault) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new ComponentFault('COMPONENT_UNREACHABLE', `it cannot be read: ${reason}`, { at, cause: error });
}

/** A repository as an index of one component, whose name and type are told by its own name (`lib-musl`). */
function ofRepository(url: string): PlacedManifest {
  const base = url.replace(/\.git$/, '').replace(/^.*[/:]/, '');
  const [, prefix, name] = /^(?:(lib|app)-)?(.+)$/.exec(base) ?? [];
  const type = prefix ?? 'core';
  return { manifest: { name: name ?? base, type, origin: url, channels: [], versions: [] }, address: url };
}

/** Finds a version in a manifest: a channel, a release, the beginning of a commit, or whatever its repository has. */
function pickVersion(
  store: Store,
  { manifest, address }: PlacedManifest,
  version: string | undefined,
): IndexedOrigin | undefined {
  const { channels, versions, origin } = manifest;
  const wanted = version ?? defaultChannel;
  const channel =
    channels.find(({ name }) => name === wanted) ??
    (version === undefined ? channels.find((other) => other.default === 'true') : undefined);
  const found = channel ?? versions.find((entry) => isVersion(entry, wanted));
  if (found?.resource !== undefined) {
    return originOf(
      join(store, address, found.resource),
      found.sha256,
      'version' in found ? found.version : found.name,
    );
  }
  return origin !== undefined && isRepository(origin) ? gitOrigin(store, address, origin, version) : undefined;
}

function isVersion(
  { version, type }: { readonly version: string; readonly type?: string | undefined },
  wanted: string,
) {
  if (type === 'gitsha') return /^[0-9a-f]{7,}$/i.test(wanted) && version.startsWith(wanted.toLowerCase());
  const bare = (name: string): string => name.replace(/^(RELEASE-|v)(?=\d)/, '');
  return bare(version) === bare(wanted) || bare(version) === `${bare(wanted)}.0`;
}

function isRepository(origin: string): boolean {
  return /\.git$/.test(origin) || /^https:\/\/github\.com\/[^/]+\/[^/]+$/.test(origin);
}

function gitOrigin(store: Store, address: string, origin: string, version: string | undefined): IndexedOrigin {
  // A repository that was added by its own URL is not relative to anything.
  const url = origin === address ? indexAddress(store, origin) : join(store, address, origin);
  return { kind: 'git', url, version };
}

/**
 * GitHub's archives of branches, tags and commits are taken from git instead, unless the index says what their bytes
 * are: a lock file can then name the commit, which can be fetched for ever, while archives of branches move on.
 */
function originOf(url: string, sha256: string | undefined, version: string): IndexedOrigin {
  const [, repository, ref] = /^(https:\/\/github\.com\/[^/]+\/[^/]+)\/archive\/(.+)\.(?:tar\.gz|zip)$/.exec(url) ?? [];
  if (repository !== undefined && sha256 === undefined) return { kind: 'git', url: `${repository}.git`, version: ref };
  if (isArchiveName(new URL(url).pathname)) return { kind: 'tarball', url, sha256 };
  return { kind: 'git', url, version };
}
