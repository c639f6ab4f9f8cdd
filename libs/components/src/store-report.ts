import { lstat, readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { hasErrorCode, isAlive } from '@nx-kraft/base';
import { readLock } from './lock.ts';
import type { RemoteResolution } from './resolution.ts';
import { forget, recall, recallAll, remember, type Store, withWorkFolder } from './store.ts';
import { formatBytes, formatTable } from './table.ts';
import { hashTree, moveTree, removeTree } from './tree.ts';
import { isCloneKey } from './upstream-key.ts';
import { upstreamDownloads } from './upstream-notes.ts';

/** A source tree or an upstream archive in the store. */
export interface StoreEntry {
  readonly kind: 'tree' | 'file';
  /** A tree's content hash, or a file's sha256 with `sha256:` before it. */
  readonly digest: string;
  /** Absolute. */
  readonly path: string;
  /** Keys of the components, or URLs of the archives, that it has been found as; sorted. */
  readonly names: readonly string[];
  /** Bytes of all its files. */
  readonly size: number;
  readonly usedAt: Date;
  /** Lock files that need it; sorted. */
  readonly lockFiles: readonly string[];
}

/**
 * Tells the store that a lock file exists, so that what it needs is never pruned. Call it whenever a lock file is read
 * or written for real work; it costs next to nothing when the store knows already.
 */
export async function registerLock(store: Store, lockFile: string): Promise<void> {
  const path = resolve(lockFile);
  if ((await recall(store, 'locks', path)) === undefined) await remember(store, 'locks', path, path);
}

/**
 * Everything in the store, the largest first.
 *
 * @throws ComponentFault COMPONENT_BAD_LOCK when a registered lock file cannot be read: nobody knows what it needs
 */
export async function listStore(store: Store): Promise<readonly StoreEntry[]> {
  const needs = await collectNeeds(store);
  const names = await collectNames(store);
  const entries = [
    ...(await listEntries(store, 'tree', 'trees', (name) => name.replace('-', ':'))),
    ...(await listEntries(store, 'file', 'files', (name) => `sha256:${name}`)),
  ];
  return entries
    .map((entry) => ({
      ...entry,
      names: [...(names.get(entry.digest) ?? [])].toSorted(),
      lockFiles: [...(needs.get(entry.digest) ?? [])].toSorted(),
    }))
    .toSorted((a, b) => b.size - a.size || (a.digest < b.digest ? -1 : 1));
}

async function listEntries(
  store: Store,
  kind: 'tree' | 'file',
  folder: string,
  toDigest: (name: string) => string,
): Promise<readonly Omit<StoreEntry, 'names' | 'lockFiles'>[]> {
  const names = await readdir(join(store.folder, folder)).catch(ignoreMissing);
  return Promise.all(
    (names ?? []).map(async (name) => {
      const path = join(store.folder, folder, name);
      return { kind, digest: toDigest(name), path, size: await measure(path), usedAt: (await stat(path)).mtime };
    }),
  );
}

async function measure(path: string): Promise<number> {
  const stats = await lstat(path);
  if (!stats.isDirectory()) return stats.size;
  let size = 0;
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (!entry.isDirectory()) size += (await lstat(join(entry.parentPath, entry.name))).size;
  }
  return size;
}

/** Digest → the lock files that need it. Locks that are gone need nothing. */
async function collectNeeds(store: Store): Promise<Map<string, Set<string>>> {
  const needs = new Map<string, Set<string>>();
  const digestOf = await pinnedDigests(store);
  for (const { key: lockFile } of await recallAll<string>(store, 'locks')) {
    for (const { content, downloads = {} } of Object.values((await readLock(lockFile))?.components ?? {})) {
      addTo(needs, content, lockFile);
      const fetched = await upstreamDownloads(store, content);
      for (const pin of [...Object.entries(downloads), ...Object.entries(fetched)])
        addTo(needs, digestOf(...pin), lockFile);
    }
  }
  return needs;
}

/** Gives the digest of the entry in the store that an upstream archive or repository is. */
async function pinnedDigests(store: Store): Promise<(key: string, pin: string) => string> {
  const trees = new Map((await recallAll<string>(store, 'revisions')).map(({ key, value }) => [key, value]));
  return (key, pin) => (isCloneKey(key) ? (trees.get(pin) ?? '') : `sha256:${pin}`);
}

async function collectNames(store: Store): Promise<Map<string, Set<string>>> {
  const names = new Map<string, Set<string>>();
  for (const { key, value } of await recallAll<RemoteResolution>(store, 'resolutions'))
    addTo(names, value.content, key);
  const digestOf = await pinnedDigests(store);
  for (const { key, value } of await recallAll<string>(store, 'upstream')) addTo(names, digestOf(key, value), key);
  return names;
}

function addTo(map: Map<string, Set<string>>, key: string, value: string): void {
  map.set(key, (map.get(key) ?? new Set()).add(value));
}

/** What {@link listStore} found as a table for people, with the total below. */
export function formatStore(entries: readonly StoreEntry[]): string {
  const rows = entries.map(({ digest, kind, names, size, usedAt, lockFiles }) => [
    digest.slice(0, 19),
    kind,
    formatBytes(size),
    usedAt.toISOString().slice(0, 16).replace('T', ' '),
    lockFiles.length === 0 ? 'no lock' : lockFiles.length === 1 ? '1 lock' : `${lockFiles.length} locks`,
    names.join(' '),
  ]);
  const total = entries.reduce((sum, { size }) => sum + size, 0);
  const table = formatTable(['DIGEST', 'KIND', 'SIZE', 'LAST USED', 'NEEDED BY', 'KNOWN AS'], rows);
  return `${table}${entries.length} entries, ${formatBytes(total)}\n`;
}

/** How long ago something must have been used to be pruned, in milliseconds: a build may be at it without a lock. */
const graceTime = 3_600_000;

/**
 * Removes what no lock file needs and nobody has used within the last hour, and what killed processes left. Entries are
 * moved away before they are removed, so that a half-removed one is never used.
 *
 * @returns what was removed
 * @throws ComponentFault COMPONENT_BAD_LOCK; then nothing is removed
 */
export async function pruneStore(
  store: Store,
  { now = new Date() }: { now?: Date } = {},
): Promise<readonly StoreEntry[]> {
  const entries = await listStore(store);
  const isOld = (date: Date): boolean => now.getTime() - date.getTime() > graceTime;
  const removable = entries.filter(({ lockFiles, usedAt }) => lockFiles.length === 0 && isOld(usedAt));
  await withWorkFolder(store, async (work) => {
    for (const { path } of removable) await moveTree(path, join(work, basename(path)));
  });
  await pruneWork(store, isOld);
  for (const { key } of await recallAll<string>(store, 'locks')) {
    if ((await stat(key).catch(ignoreMissing)) === undefined) await forget(store, 'locks', key);
  }
  return removable;
}

async function pruneWork(store: Store, isOld: (date: Date) => boolean): Promise<void> {
  for (const folder of ['work', 'turns']) {
    for (const name of (await readdir(join(store.folder, folder)).catch(ignoreMissing)) ?? []) {
      const path = join(store.folder, folder, name);
      const stats = await stat(path).catch(ignoreMissing);
      const isOurs = folder === 'work' && isAlive(Number(name.split('.')[0]));
      if (stats !== undefined && !isOurs && isOld(stats.mtime)) await removeTree(path);
    }
  }
}

/** Looks whether every tree is still what it was, and removes those that are not, for example after a power cut. */
export async function verifyStore(store: Store): Promise<readonly StoreEntry[]> {
  const entries = await listStore(store);
  const damaged: StoreEntry[] = [];
  for (const entry of entries.filter(({ kind }) => kind === 'tree')) {
    if ((await hashTree(entry.path)) !== entry.digest) damaged.push(entry);
  }
  await withWorkFolder(store, async (work) => {
    for (const { path } of damaged) await moveTree(path, join(work, basename(path)));
  });
  return damaged;
}

function ignoreMissing(error: unknown): undefined {
  if (hasErrorCode(error, 'ENOENT')) return undefined;
  throw error;
}
