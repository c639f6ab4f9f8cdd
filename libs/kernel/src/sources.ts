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

/** Which files an earlier build had and when it began, for what make cannot see by itself. */
export interface SourceState {
  /** Milliseconds since 1970. */
  readonly builtAt: number;
  readonly files: readonly string[];
}

export function recordSources(folder: string, builtAt: number): SourceState {
  return { builtAt, files: listSources(folder) };
}

/**
 * Whether make would decide rightly what to compile again. It compares times only, and so misses a file that was
 * replaced by an older one (the time of its change tells) and trips over one that is gone.
 */
export async function makeCanTell(folder: string, before: SourceState): Promise<boolean> {
  const files = listSources(folder);
  const present = new Set(files);
  if (before.files.some((file) => !present.has(file))) return false;
  return timesCanTell(folder, files, before.builtAt);
}

/** The same for just those files, given by absolute paths, whatever else there is. */
export async function makeCanTellOf({ builtAt, files }: SourceState): Promise<boolean> {
  try {
    return await timesCanTell('/', files, builtAt);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

async function timesCanTell(folder: string, files: readonly string[], builtAt: number): Promise<boolean> {
  const stats = await Promise.all(files.map((file) => lstat(join(folder, file))));
  return stats.every(({ ctimeMs, mtimeMs }) => ctimeMs < builtAt || mtimeMs >= builtAt);
}
