import type { Tree } from '@nx/devkit';
import { compareLocks, formatLock, formatLockChanges, updateLock } from '@nx-kraft/components';
import { lockFileName } from '../../tasks/files.ts';
import { gatherNeeds, lockOptions, readTreeLock } from '../lock-needs.ts';

export interface UpdateOptions {
  /** A component or an image; default: everything. */
  readonly name?: string;
}

/** Asks again what a component or image means today, or all of them, and tells what changed. */
export default async function update(tree: Tree, { name }: UpdateOptions): Promise<() => void> {
  const before = readTreeLock(tree);
  const options = { ...(await lockOptions()), update: name === undefined ? ('all' as const) : [name] };
  const after = await updateLock(before, await gatherNeeds(tree, before, options), options);
  tree.write(lockFileName, formatLock(after));
  const changes = compareLocks(before, after);
  return () => {
    process.stdout.write(changes.length === 0 ? 'Everything is as it was.\n' : `${formatLockChanges(changes)}\n`);
  };
}
