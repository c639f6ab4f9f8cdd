import type { Tree } from '@nx/devkit';
import { compareLocks, formatLock, formatLockChanges } from '@nx-kraft/components';
import { lockFileName } from '../../tasks/files.ts';
import { refreshLock } from '../lock-needs.ts';

export interface UpdateOptions {
  /** A component or an image; default: everything. */
  readonly name?: string;
}

/**
 * Asks again what a component or image means today, or all of them, and tells what changed. What cannot be had is told at
 * the end, when the rest is written, and stays as it was.
 */
export default async function update(tree: Tree, { name }: UpdateOptions): Promise<() => void> {
  const { before, after, failure } = await refreshLock(tree, name === undefined ? 'all' : [name]);
  tree.write(lockFileName, formatLock(after));
  const changes = compareLocks(before, after);
  return () => {
    process.stdout.write(changes.length === 0 ? 'Everything is as it was.\n' : `${formatLockChanges(changes)}\n`);
    if (failure !== undefined) throw failure;
  };
}
