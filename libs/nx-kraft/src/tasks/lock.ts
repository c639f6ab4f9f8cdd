import { join } from 'node:path';
import { type Lock, readLock } from '@nx-kraft/components';
import { lockFileName } from './files.ts';

/**
 * The lock of a workspace; undefined when it has none.
 *
 * @throws ComponentFault COMPONENT_BAD_LOCK
 */
export function readWorkspaceLock(workspaceRoot: string): Promise<Lock | undefined> {
  return readLock(join(workspaceRoot, lockFileName));
}
