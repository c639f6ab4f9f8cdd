import { join } from 'node:path';
import { hasErrorCode } from '@nx-kraft/base';

/** Whether an import failed because there is no such module, as of a part of Nx that another version does not have. */
export function isMissingModule(error: unknown): boolean {
  return hasErrorCode(error, 'ERR_MODULE_NOT_FOUND', 'ERR_PACKAGE_PATH_NOT_EXPORTED', 'MODULE_NOT_FOUND');
}

/** The workspace's own Nx. */
export function nxProgram(workspaceRoot: string): string {
  return join(workspaceRoot, 'node_modules/.bin/nx');
}
