import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault, hasErrorCode } from './fault.ts';

/** A lock that its holder did not release in time. */
export class LockFault extends Fault<'LOCK_HELD'> {
  override readonly name = 'LockFault';
}

/**
 * Runs `work` while no other process holds the lock file at `path`. A lock whose process is gone is taken over. Hold
 * it around renames and small index updates only, never around downloads or builds.
 *
 * @param timeout  milliseconds to wait for another holder (default 30,000)
 * @throws LockFault when the holder is alive and keeps the lock longer than that
 */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  { timeout = 30_000 }: { timeout?: number } = {},
): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const claim = `${path}.${randomUUID()}`;
  // A hard link either appears with its holder's number in it or fails, so no one ever reads an empty lock.
  await writeFile(claim, String(process.pid));
  try {
    await acquire(path, claim, Date.now() + timeout);
  } finally {
    // Not only after the work: what a killed process leaves of a lock is taken over, but nobody would miss this.
    await rm(claim, { force: true });
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function acquire(path: string, claim: string, deadline: number): Promise<void> {
  for (let pause = 2; ; pause = Math.min(pause * 2, 100)) {
    try {
      await link(claim, path);
      return;
    } catch (error) {
      if (!hasErrorCode(error, 'EEXIST')) throw error;
    }
    const holder = await readHolder(path);
    if (holder !== undefined && !isAlive(holder)) {
      await evict(path, holder);
    } else if (Date.now() > deadline) {
      throw new LockFault('LOCK_HELD', `process ${holder ?? 'unknown'} keeps the lock`, {
        at: path,
        hint: 'Wait for that process, or end it if it hangs; the lock is then taken over by itself.',
      });
    } else {
      await sleep(pause);
    }
  }
}

async function readHolder(path: string): Promise<number | undefined> {
  try {
    return Number(await readFile(path, 'utf8'));
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Moves a dead holder's lock away; two processes may try at once, but a rename succeeds only for one of them. */
async function evict(path: string, deadHolder: number): Promise<void> {
  const moved = `${path}.${randomUUID()}.dead`;
  try {
    await rename(path, moved);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return;
    throw error;
  }
  // Between the look and the rename another process may have taken over: what was moved is then its lock. Give it back.
  if ((await readHolder(moved)) !== deadHolder) await link(moved, path).catch(ignoreExisting);
  await rm(moved, { force: true });
}

function ignoreExisting(error: unknown): void {
  if (!hasErrorCode(error, 'EEXIST')) throw error;
}

/** Whether a process with this number runs, also when it belongs to another user. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasErrorCode(error, 'EPERM');
  }
}
