import { createHash, hash } from 'node:crypto';
import {
  chmodSync,
  constants,
  copyFileSync,
  createReadStream,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
} from 'node:fs';
import { chmod, lstat, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import { hasErrorCode } from '@nx-kraft/base';

/**
 * The content hash of a folder: sha256 over one line for each file and link, `<mode> <sha256> <path>` ended by NUL and
 * sorted by the bytes of the paths, with git's modes (100644, 100755 when the owner may execute, 120000 for a link,
 * whose content is its target). Times, owners, other permissions, empty folders and the folder's own path do not count,
 * so an archive and a checkout of the same commit have the same hash.
 *
 * @returns `sha256:<64 hex digits>`
 */
export async function hashTree(folder: string): Promise<string> {
  const tree = createHash('sha256');
  await forEachYielding(await listFiles(folder), async (path) => {
    tree.update(`${await describeFile(join(folder, path))} ${path}\0`);
  });
  return `sha256:${tree.digest('hex')}`;
}

/** Files up to this size, in bytes, are read at once. */
const smallSize = 1024 * 1024;

async function describeFile(path: string): Promise<string> {
  const stats = lstatSync(path);
  if (stats.isSymbolicLink()) return `120000 ${hash('sha256', readlinkSync(path), 'hex')}`;
  const digest = stats.size > smallSize ? await hashLarge(path) : hash('sha256', readFileSync(path), 'hex');
  return `${(stats.mode & 0o100) === 0 ? '100644' : '100755'} ${digest}`;
}

async function hashLarge(path: string): Promise<string> {
  const content = createHash('sha256');
  await pipeline(createReadStream(path), content);
  return content.digest('hex');
}

/** The files and links below a folder as relative paths, sorted by their bytes. */
async function listFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .map((path) => ({ path, bytes: Buffer.from(path) }))
    .toSorted((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ path }) => path);
}

/**
 * Takes all rights to write away from what is below a folder, and gives all users the right to read. The folder itself
 * stays as it is, since only its owner's right to write lets it be moved.
 */
export async function protectTree(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  await forEachYielding(entries, (entry) => {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) chmodSync(path, 0o555);
    else if (entry.isFile()) chmodSync(path, (lstatSync(path).mode & 0o100) === 0 ? 0o444 : 0o555);
  });
}

/** Copies what is below a tree's folder into another one, where its owner may change it; shares the bytes where the disk can. */
export async function copyTree(from: string, to: string): Promise<void> {
  // Folders come before what is in them.
  const entries = await readdir(from, { recursive: true, withFileTypes: true });
  const depth = (path: string): number => path.split('/').length;
  await forEachYielding(
    entries.toSorted((a, b) => depth(a.parentPath) - depth(b.parentPath)),
    (entry) => {
      const source = join(entry.parentPath, entry.name);
      const target = join(to, source.slice(from.length));
      if (entry.isDirectory()) mkdirSync(target, { recursive: true });
      else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
      else {
        copyFileSync(source, target, constants.COPYFILE_FICLONE);
        chmodSync(target, (lstatSync(source).mode & 0o100) === 0 ? 0o644 : 0o755);
      }
    },
  );
}

/** Removes a folder also when it is read-only; does nothing when there is none. */
export async function removeTree(folder: string): Promise<void> {
  const pending = [folder];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const stats = await lstat(next).catch(ignoreMissing);
    if (stats?.isDirectory() !== true) continue;
    if ((stats.mode & 0o300) !== 0o300) await chmod(next, 0o755);
    const entries = await readdir(next, { withFileTypes: true });
    pending.push(...entries.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name)));
  }
  await rm(folder, { recursive: true, force: true });
}

function ignoreMissing(error: unknown): undefined {
  if (hasErrorCode(error, 'ENOENT')) return undefined;
  throw error;
}

/** Moves a tree or a file of the store within its file system; a read-only folder has to be made writable for that. */
export async function moveTree(from: string, to: string): Promise<void> {
  if ((await lstat(from)).isDirectory()) await chmod(from, 0o755);
  await rename(from, to);
}

/**
 * Works on items one after the other, with other work let in between: on thousands of small files, synchronous calls
 * take a fifth of the time of asynchronous ones.
 */
async function forEachYielding<T>(items: readonly T[], work: (item: T) => void | Promise<void>): Promise<void> {
  for (const [index, item] of items.entries()) {
    const pending = work(item);
    if (pending !== undefined) await pending;
    if (index % 64 === 63) await setImmediate();
  }
}
