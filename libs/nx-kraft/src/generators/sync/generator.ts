import type { Tree } from '@nx/devkit';
import { compareLocks, formatLock, formatLockChanges, updateLock } from '@nx-kraft/components';
import { lockFileName } from '../../tasks/files.ts';
import { gatherNeeds, lockOptions, readTreeLock } from '../lock-needs.ts';

/**
 * Adds to `kraft.lock` what Kraftfiles and Dockerfiles name and the lock lacks, and takes out what nobody names any more.
 * What is locked stays as it is.
 */
export default async function sync(tree: Tree): Promise<{ outOfSyncMessage?: string }> {
  const before = readTreeLock(tree);
  const options = await lockOptions();
  const after = await updateLock(before, await gatherNeeds(tree, before, options), options);
  const changes = compareLocks(before, after);
  if (changes.length === 0) return {};
  tree.write(lockFileName, formatLock(after));
  return { outOfSyncMessage: `${lockFileName} is not what the Kraftfiles name:\n${formatLockChanges(changes)}` };
}
