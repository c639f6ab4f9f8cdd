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
 *
 * @param options  from `nx g`, which calls what it gets; `nx sync` gives none, and takes a result that is no function
 */
export default async function sync(tree: Tree): Promise<SyncResult>;
export default async function sync(tree: Tree, options: Readonly<Record<string, unknown>>): Promise<() => void>;
export default async function sync(
  tree: Tree,
  options?: Readonly<Record<string, unknown>>,
): Promise<SyncResult | (() => void)> {
  const { before, after, failure } = await refreshLock(tree);
  const changes = compareLocks(before, after);
  if (changes.length > 0) tree.write(lockFileName, formatLock(after));
  const refuse = (): void => {
    if (failure !== undefined) throw failure;
  };
  if (options !== undefined) {
    return () => {
      process.stdout.write(changes.length === 0 ? 'Everything is as it was.\n' : `${formatLockChanges(changes)}\n`);
      refuse();
    };
  }
  if (changes.length === 0) {
    refuse();
    return {};
  }
  return {
    outOfSyncMessage: `${lockFileName} is not what the Kraftfiles name:\n${formatLockChanges(changes)}`,
    // Told by nx sync:check, which writes nothing and so calls nothing back.
    ...(failure === undefined ? {} : { outOfSyncDetails: failure.message.split('\n') }),
    callback: refuse,
  };
}
