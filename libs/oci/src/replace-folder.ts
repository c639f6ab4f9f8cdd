import { hasErrorCode, isAlive } from '@nx-kraft/base';
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Makes a folder appear whole in place of an older one. The older one is moved away first, since no system call swaps
 * folders everywhere: who is killed between the two renames leaves none, never half of one. What killed processes left
 * beside it is removed.
 *
 * @param make  fills a temporary path beside it; when it fails, the older folder stays
 */
export async function replaceFolder<T>(path: string, make: (temporaryPath: string) => Promise<T>): Promise<T> {
  const parent = dirname(path);
  const prefix = `.${basename(path)}.`;
  await mkdir(parent, { recursive: true });
  await removeLeftovers(parent, prefix);
  const mine = join(parent, `${prefix}${process.pid}.${randomUUID()}`);
  const [temporary, old] = [`${mine}.tmp`, `${mine}.old`];
  try {
    const result = await make(temporary);
    while (!(await swap(temporary, path, old)));
    return result;
  } finally {
    await rm(temporary, { recursive: true, force: true });
    await rm(old, { recursive: true, force: true });
  }
}

/** Gives false when another process put its folder there between the two renames: the last one wins, so once more. */
async function swap(temporary: string, path: string, old: string): Promise<boolean> {
  try {
    await rename(path, old);
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
  }
  try {
    await rename(temporary, path);
    return true;
  } catch (error) {
    if (!hasErrorCode(error, 'ENOTEMPTY', 'EEXIST')) throw error;
    await rm(old, { recursive: true, force: true });
    return false;
  }
}

async function removeLeftovers(parent: string, prefix: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const holder = name.startsWith(prefix) ? /^(\d+)\.[0-9a-f-]{36}\.(tmp|old)$/.exec(name.slice(prefix.length)) : null;
    if (holder !== null && !isAlive(Number(holder[1]))) await rm(join(parent, name), { recursive: true, force: true });
  }
}
