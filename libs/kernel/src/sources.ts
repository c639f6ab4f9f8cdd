import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrorCode, regularFile } from '@nx-kraft/base';
import { listSources } from './source-list.ts';

/** A digest over the names, contents and link targets of all of a folder's sources, the same in every checkout. */
export async function digestSources(folder: string): Promise<string> {
  return digestFiles(folder, listSources(folder));
}

/** A digest over the names and contents of some files of a folder. */
export async function digestFiles(folder: string, paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const path of paths) {
    hash.update(`${path}\0`);
    await addFile(hash, join(folder, path));
    hash.update('\0');
  }
  return hash.digest('hex');
}

/** A digest over one file's content. */
export async function digestFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await addFile(hash, path);
  return hash.digest('hex');
}

async function addFile(hash: Hash, path: string): Promise<void> {
  if ((await lstat(path)).isSymbolicLink()) hash.update(await readlink(path));
  else for await (const chunk of createReadStream(regularFile(path))) hash.update(chunk as Buffer);
}

/** What an earlier build had of a folder, for what make cannot see by itself. */
export interface SourceState {
  readonly files: readonly string[];
  /** Those of them by whose times make decides what to compile again. */
  readonly followed: readonly string[];
}

/** When an earlier build began and ended, in milliseconds since 1970. */
export interface BuildTimes {
  readonly beganAt: number;
  readonly endedAt: number;
}

/**
 * Whether make would decide rightly what to compile again. It compares times only, of the files alone that compilers list.
 * So it misses a file that was replaced by an older one (the time of its change tells), one that compilers would find before
 * another, data that is read in other ways, and trips over one that is gone.
 *
 * @param files  what is there now
 * @param isKnown  whether a file's content is compared in another way
 */
export async function makeCanTell(
  folder: string,
  files: readonly string[],
  before: SourceState,
  { beganAt, endedAt }: BuildTimes,
  isKnown: (path: string) => boolean = () => false,
): Promise<boolean> {
  if (files.length !== before.files.length || files.some((file, index) => file !== before.files[index])) return false;
  const followed = new Set(before.followed);
  const stats = await statAll(folder, files);
  return stats.every(
    ({ path, ctimeMs, mtimeMs }) => ctimeMs < beganAt || isKnown(path) || (followed.has(path) && mtimeMs >= endedAt),
  );
}

/** Whether nothing was changed while it was built: whoever read it may have read the old. */
export async function isUnchangedSince(folder: string, files: readonly string[], beganAt: number): Promise<boolean> {
  return (await statAll(folder, files)).every(({ ctimeMs }) => ctimeMs < beganAt);
}

/** Files that are gone by now have changed at no time before. */
async function statAll(folder: string, paths: readonly string[]) {
  return Promise.all(
    paths.map(async (path) => {
      try {
        const { ctimeMs, mtimeMs } = await lstat(join(folder, path));
        return { path, ctimeMs, mtimeMs };
      } catch (error) {
        if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return { path, ctimeMs: Infinity, mtimeMs: 0 };
        throw error;
      }
    }),
  );
}
