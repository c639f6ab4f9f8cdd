import { randomUUID } from 'node:crypto';
import { readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { hasErrorCode } from '@nx-kraft/base';
import { Instances } from '@nx-kraft/machine/run';

/** `nx-kraft/run` in the user's folder for caches: images that were unpacked, and root file systems, by their digests. */
export function runCacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'nx-kraft', 'run');
}

/** What nobody has used for this long (milliseconds) goes when something new comes. */
export const keptFor = 7 * 24 * 3600_000;

/** Notes that an entry is used now. */
export async function markUsed(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now);
}

/** What was removed. */
export interface RemovedEntries {
  readonly entries: number;
  readonly bytes: number;
}

/**
 * Removes what no machine of this user runs from, or would when it is started again, and nobody has used for some time.
 *
 * @param unusedFor  milliseconds
 */
export async function pruneRunCache(unusedFor: number): Promise<RemovedEntries> {
  const folder = runCacheFolder();
  const paths = (await ifThere(readdir(folder)))?.map((name) => join(folder, name)) ?? [];
  const old = (await Promise.all(paths.map(lookAt))).filter(
    (entry) => entry !== undefined && entry.usedAt < Date.now() - unusedFor,
  );
  const needed =
    old.length === 0 ? [] : (await new Instances().list()).flatMap(({ plan }) => [plan.kernel, plan.initrd]);
  let [entries, bytes] = [0, 0];
  for (const entry of old) {
    if (entry === undefined || needed.some((file) => isWithin(entry.path, file))) continue;
    // Out of the way first: half an image must not be taken for one. Another process may be doing the same.
    const doomed = join(folder, `.${randomUUID()}`);
    if ((await ifThere(rename(entry.path, doomed).then(() => true))) !== true) continue;
    await rm(doomed, { recursive: true, force: true });
    entries++;
    bytes += entry.bytes;
  }
  return { entries, bytes };
}

function isWithin(path: string, file: string | undefined): boolean {
  return file === path || file?.startsWith(`${path}/`) === true;
}

interface Entry {
  readonly path: string;
  readonly usedAt: number;
  readonly bytes: number;
}

async function lookAt(path: string): Promise<Entry | undefined> {
  const stats = await ifThere(stat(path));
  if (stats === undefined) return undefined;
  const files = stats.isDirectory() ? ((await ifThere(readdir(path))) ?? []).map((name) => join(path, name)) : [path];
  const sizes = await Promise.all(files.map(async (file) => (await ifThere(stat(file)))?.size ?? 0));
  return { path, usedAt: stats.mtimeMs, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

async function ifThere<T>(what: Promise<T>): Promise<T | undefined> {
  try {
    return await what;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
