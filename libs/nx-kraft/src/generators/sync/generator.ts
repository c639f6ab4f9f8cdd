import type { Tree } from '@nx/devkit';
import type { Fault } from '@nx-kraft/base';
import { compareLocks, formatLock, formatLockChanges, updateLock } from '@nx-kraft/components';
import { lockFileName } from '../../tasks/files.ts';
import { gatherNeeds, lockFailure, lockOptions, readTreeLock } from '../lock-needs.ts';

/**
 * Adds to `kraft.lock` what Kraftfiles and Dockerfiles name and the lock lacks, and takes out what nobody names any more.
 * What is locked stays as it is. What cannot be locked is told at the end, when the rest is written.
 */
export default async function sync(tree: Tree): Promise<{ outOfSyncMessage?: string; callback?: () => void }> {
  const before = readTreeLock(tree);
  const faults = new Map<string, Fault>();
  const options = { ...(await lockOptions()), onFault: (key: string, fault: Fault) => void faults.set(key, fault) };
  const after = await updateLock(before, await gatherNeeds(tree, before, options), options);
  const changes = compareLocks(before, after);
  const failure = lockFailure(faults);
  if (changes.length === 0) {
    if (failure !== undefined) throw failure;
    return {};
  }
  tree.write(lockFileName, formatLock(after));
  return {
    outOfSyncMessage: `${lockFileName} is not what the Kraftfiles name:\n${formatLockChanges(changes)}`,
    callback: () => {
      if (failure !== undefined) throw failure;
    },
  };
}
