import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { hasErrorCode, LockFault, replaceAtomically, withLock } from '@nx-kraft/base';
import { createLimit } from './limit.ts';
import { type Network, realNetwork } from './network.ts';
import { removeTree } from './tree.ts';

/**
 * The folder that all workspaces of a user share (see `../README.md`, "The store"), with what its owner has asked
 * the network for already: one Store asks each index and each repository once. Open one for each command, not one for a
 * server that runs for days.
 */
export interface Store {
  /** Absolute. */
  readonly folder: string;
  readonly network: Network;
  /** Answers, by what was asked. */
  readonly answers: Map<string, Promise<unknown>>;
  /** URLs with credentials by the same URLs without; they are never written anywhere. */
  readonly credentials: Map<string, string>;
}

export interface StoreOptions {
  /** Where the store is; else NX_KRAFT_STORE, else `nx-kraft/sources` in XDG_CACHE_HOME or `~/.cache`. */
  readonly folder?: string | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly network?: Network;
}

/** How many git commands may talk to remotes at a time; servers refuse those who come with hundreds. */
const gitLimit = 8;

/** Opens the store; nothing is read or written yet. */
export function openStore({ folder, environment = process.env, network = realNetwork }: StoreOptions = {}): Store {
  const chosen = folder ?? (environment.NX_KRAFT_STORE || join(cacheFolder(environment), 'nx-kraft', 'sources'));
  const limit = createLimit(gitLimit);
  return {
    folder: resolve(chosen),
    network: { fetch: network.fetch, git: (args, options) => limit(() => network.git(args, options)) },
    answers: new Map(),
    credentials: new Map(),
  };
}

function cacheFolder(environment: Readonly<Record<string, string | undefined>>): string {
  return environment.XDG_CACHE_HOME || join(environment.HOME || homedir(), '.cache');
}

/** Does something once per store: later callers get the first one's promise, unless it failed. */
export function once<T>(store: Store, key: string, work: () => Promise<T>): Promise<T> {
  const known = store.answers.get(key) as Promise<T> | undefined;
  if (known !== undefined) return known;
  const answer = work();
  store.answers.set(key, answer);
  answer.catch(() => store.answers.delete(key));
  return answer;
}

/**
 * Gives `work` a folder of its own in the store's file system, which is removed afterwards. Its name begins with this
 * process's number, so that a later clean-up knows what a killed process left.
 */
export async function withWorkFolder<T>(store: Store, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = join(store.folder, 'work', `${process.pid}.${randomUUID()}`);
  await mkdir(folder, { recursive: true });
  try {
    return await work(folder);
  } finally {
    await removeTree(folder);
  }
}

/**
 * Lets one process at a time fetch the same thing, so that the others find it in the store. It saves work only: results
 * are right without it, so a holder that does not get on is not waited for any longer than five minutes.
 */
export async function inTurn<T>(
  store: Store,
  key: string,
  work: () => Promise<T>,
  { signal, onWait }: { signal?: AbortSignal | undefined; onWait?: () => void },
): Promise<T> {
  const lock = join(store.folder, 'turns', digestText(key));
  const working = { begun: false };
  const begin = (): Promise<T> => {
    working.begun = true;
    return work();
  };
  const deadline = Date.now() + 300_000;
  for (let attempt = 0; Date.now() < deadline; attempt++) {
    signal?.throwIfAborted();
    if (attempt === 1) onWait?.();
    try {
      return await withLock(lock, begin, { timeout: 1000 });
    } catch (error) {
      if (working.begun || !(error instanceof LockFault)) throw error;
    }
  }
  return work();
}

/** Notes that something in the store is used now; fails with ENOENT when it is not there. */
export async function markUsed(path: string): Promise<void> {
  const now = new Date();
  try {
    await utimes(path, now, now);
  } catch (error) {
    // A store of another user, or on a read-only disk, can be used as well; its times are not ours to keep.
    if (!hasErrorCode(error, 'EPERM', 'EROFS', 'EACCES')) throw error;
    await access(path);
  }
}

/** What the store knows besides trees, one small JSON file for each fact, by kind. */
export type RecordKind =
  /** git revision → the tree that it is. */
  | 'revisions'
  /** Content hash of a tree → the start of the machine in which it was found whole. */
  | 'checked'
  /** sha256 of an archive → the tree in it. */
  | 'archives'
  /** URL of an archive → the archive that it was, and how to ask whether it still is. */
  | 'downloads'
  /** URL of an index → its text, and how to ask whether it still is that. */
  | 'indexes'
  /** URL of a library's upstream archive → its sha256; `URL#REF` of a repository → the commit. */
  | 'upstream'
  /** Content hash of a library → the upstream archives and repositories that its build fetches. */
  | 'fetched'
  /** Path of a lock file that needs things of the store. */
  | 'locks'
  /** What a name, branch or URL meant when it was asked last. */
  | 'resolutions';

/** Gives what {@link remember} kept, or undefined. */
export async function recall<T>(store: Store, kind: RecordKind, key: string): Promise<T | undefined> {
  return (await readRecord<T>(recordPath(store, kind, key)))?.value;
}

async function readRecord<T>(path: string): Promise<{ readonly key: string; readonly value: T } | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as { key: string; value: T };
  } catch (error) {
    // A record that a power cut damaged is as good as none: all of them can be had again.
    if (hasErrorCode(error, 'ENOENT') || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Keeps a fact for all processes to come. */
export async function remember(store: Store, kind: RecordKind, key: string, value: unknown): Promise<void> {
  const text = `${JSON.stringify({ key, value })}\n`;
  await replaceAtomically(recordPath(store, kind, key), (path) => writeFile(path, text));
}

/** Forgets a fact that turned out wrong. */
export async function forget(store: Store, kind: RecordKind, key: string): Promise<void> {
  await rm(recordPath(store, kind, key), { force: true });
}

/** All facts of a kind, with what they are about. */
export async function recallAll<T>(store: Store, kind: RecordKind): Promise<readonly { key: string; value: T }[]> {
  const folder = join(store.folder, kind);
  const names = await readdir(folder).catch((error: unknown) => {
    if (hasErrorCode(error, 'ENOENT')) return [];
    throw error;
  });
  const paths = names.filter((name) => /^[0-9a-f]+\.json$/.test(name)).map((name) => join(folder, name));
  return (await Promise.all(paths.map((path) => readRecord<T>(path)))).filter((record) => record !== undefined);
}

function recordPath(store: Store, kind: RecordKind, key: string): string {
  return join(store.folder, kind, `${digestText(key)}.json`);
}

function digestText(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
