import { join } from 'node:path';
import type { ComponentProgress } from '@nx-kraft/components';
import { type Lock, readLock } from '@nx-kraft/components/lock';
import { lockFileName } from './files.ts';
import { tell } from './task.ts';

/**
 * The lock of a workspace; undefined when it has none.
 *
 * @throws ComponentFault COMPONENT_BAD_LOCK
 */
export function readWorkspaceLock(workspaceRoot: string): Promise<Lock | undefined> {
  return readLock(join(workspaceRoot, lockFileName));
}

/** Tells what goes on while components and images are found, and what it means that one is not locked. */
export function tellProgress({ kind, message }: ComponentProgress): void {
  if (kind === 'unlocked') tell(`warning: ${message}, so this task is never cached; nx sync adds it`);
  else tell(kind === 'warning' ? `warning: ${message}` : message);
}
