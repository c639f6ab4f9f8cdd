import type { Tree } from '@nx/devkit';
import { compareLocks, formatLock, formatLockChanges } from '@nx-kraft/components';
import { lockFileName } from '../../tasks/files.ts';
import { refreshLock } from '../lock-needs.ts';

/** What Nx takes from a generator of `nx sync`: why the workspace is out of step, and what to do when it is written. */
interface SyncResult {
  readonly outOfSyncMessage?: string;
  readonly outOfSyncDetails?: readonly string[];
  readonly callback?: () => void;
}

/**
 * Adds to `kraft.lock` what Kraftfiles and Dockerfiles name and the lock lacks, and takes out what nobody names any more.
 * What is locked stays as it is. What cannot be locked is told at the end, when the rest is written: Nx writes nothing for
 * a generator that throws.
 */
export default async function sync(tree: Tree): Promise<SyncResult> {
  const { before, after, failure } = await refreshLock(tree);
  const changes = compareLocks(before, after);
  if (changes.length === 0) {
    if (failure !== undefined) throw failure;
    return {};
  }
  tree.write(lockFileName, formatLock(after));
  return {
    outOfSyncMessage: `${lockFileName} is not what the Kraftfiles name:\n${formatLockChanges(changes)}`,
    // Told by nx sync:check, which writes nothing and so calls nothing back.
    ...(failure === undefined ? {} : { outOfSyncDetails: failure.message.split('\n') }),
    callback: () => {
      if (failure !== undefined) throw failure;
    },
  };
}
