import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { ComponentFault } from './fault.ts';
import { fetchRevision } from './fetch.ts';
import { findRevision, isWholeRevision } from './git.ts';
import { defaultIndex, findInIndexes, type IndexedOrigin } from './indexes.ts';
import { type Lock, lockedResolution } from './lock.ts';
import { offlineFault } from './offline.ts';
import type { FetchOptions, RemoteResolution, Resolution } from './resolution.ts';
import {
  bareName,
  type ComponentRequest,
  componentKey,
  defaultChannel,
  defaultRepository,
  locate,
  type Origin,
} from './request.ts';
import { once, recall, remember, type Store } from './store.ts';
import { fetchTarball } from './tarball.ts';
import { treeFolder } from './trees.ts';
import { hideCredentials } from './url.ts';

export interface ResolveOptions extends FetchOptions {
  readonly store: Store;
  /** What relative paths are relative to: the Kraftfile's folder. */
  readonly baseDirectory: string;
  readonly lock?: Lock | undefined;
  /** Where bare names are looked up, in this order (default: KraftKit's index), before GitHub is asked. */
  readonly indexes?: readonly string[] | undefined;
  /** Refuse what the lock file does not have. */
  readonly frozen?: boolean | undefined;
}

/**
 * Finds out which exact sources a component of a Kraftfile means. With an entry in the lock this reads nothing but the
 * lock. Without one the remote is asked, once per store and process; the source is fetched if the store does not know
 * its content hash yet, and progress `unlocked` is told.
 *
 * @throws ComponentFault
 */
export async function resolveComponent(request: ComponentRequest, options: ResolveOptions): Promise<Resolution> {
  const key = componentKey(request);
  const origin = withoutCredentials(options.store, await locate(request, options.baseDirectory));
  if (origin.kind === 'folder') return { kind: 'folder', key, folder: origin.folder };
  if (origin.kind === 'archive') return { kind: 'folder', key, folder: await unpackLocal(key, origin.path, options) };
  const locked = lockedResolution(options.lock, key);
  if (locked !== undefined) return locked;
  if (options.frozen === true) throw notLocked(key);
  const { store } = options;
  return once(store, `resolve ${key}`, async () => {
    options.onProgress?.({ kind: 'unlocked', component: key, message: `${key} is not in kraft.lock` });
    const known = options.offline === true ? await recall<RemoteResolution>(store, 'resolutions', key) : undefined;
    return known ?? resolveRemote(key, request, origin, options);
  });
}

/** The tree of an archive on this disk. It is not locked: like a local folder it is what it is in the workspace. */
async function unpackLocal(key: string, path: string, { store, ...options }: ResolveOptions): Promise<string> {
  const sha256 = createHash('sha256');
  await pipeline(createReadStream(path), sha256);
  const source = { key, url: pathToFileURL(path).href, sha256: sha256.digest('hex') };
  return treeFolder(store, (await fetchTarball(source, store, { ...options, offline: false })).content);
}

function withoutCredentials(store: Store, origin: Origin): Origin {
  if (origin.kind !== 'git' && origin.kind !== 'tarball') return origin;
  const url = hideCredentials(origin.url);
  if (url !== origin.url) store.credentials.set(url, origin.url);
  return { ...origin, url };
}

function notLocked(key: string): ComponentFault {
  return new ComponentFault('COMPONENT_NOT_LOCKED', `${key} has no entry in kraft.lock, which must not change`, {
    hint: 'Run nx sync and commit kraft.lock.',
  });
}

async function resolveRemote(
  key: string,
  request: ComponentRequest,
  origin: Exclude<Origin, { kind: 'folder' | 'archive' }>,
  options: ResolveOptions,
): Promise<RemoteResolution> {
  const resolution =
    origin.kind === 'named'
      ? await resolveNamed(key, request, origin.version, options)
      : await resolvePlaced(key, origin, options);
  await remember(options.store, 'resolutions', key, resolution);
  return resolution;
}

async function resolveNamed(
  key: string,
  request: ComponentRequest,
  version: string | undefined,
  options: ResolveOptions,
): Promise<RemoteResolution> {
  const { indexes = [defaultIndex], offline } = options;
  const named = { type: request.type, name: bareName(request) };
  const place = offline === true ? undefined : await findInIndexes(named, version, indexes, options);
  if (place !== undefined) return resolvePlaced(key, place, options);
  const url = defaultRepository(request);
  try {
    return await resolveGit(key, { url, version: version ?? defaultChannel }, options);
  } catch (error) {
    const isMissing = error instanceof ComponentFault && /_(LOGIN|NOT_FOUND)$/.test(error.code);
    throw isMissing ? unknownName(key, url, error) : error;
  }
}

function unknownName(key: string, url: string, cause: ComponentFault): ComponentFault {
  const message = `no index knows ${key}, and there is no repository of that name that everybody may read`;
  const hint = 'Check the name, add an index that knows it, or give the component a source.';
  return new ComponentFault('COMPONENT_NOT_FOUND', message, { at: url, hint, cause });
}

function resolvePlaced(
  key: string,
  place: IndexedOrigin | Extract<Origin, { kind: 'tarball' }>,
  options: ResolveOptions,
): Promise<RemoteResolution> {
  return place.kind === 'git' ? resolveGit(key, place, options) : resolveTarball(key, place, options);
}

async function resolveGit(
  key: string,
  { url, version }: { readonly url: string; readonly version: string | undefined },
  options: ResolveOptions,
): Promise<RemoteResolution> {
  if (options.offline === true && !isWholeRevision(version)) {
    throw offlineFault(key, 'neither kraft.lock nor the store knows what it means');
  }
  options.onProgress?.({ kind: 'resolving', component: key, message: `asking ${url} for ${version ?? 'HEAD'}` });
  const found = await findRevision(options.store, url, version, options.signal);
  const content = await fetchRevision({ key, url, revision: found.revision }, options.store, options);
  return { kind: 'git', key, url, ...found, content };
}

async function resolveTarball(
  key: string,
  { url, sha256 }: { readonly url: string; readonly sha256?: string | undefined },
  options: ResolveOptions,
): Promise<RemoteResolution> {
  return { kind: 'tarball', key, url, ...(await fetchTarball({ key, url, sha256 }, options.store, options)) };
}
