import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { hasErrorCode } from '@nx-kraft/base';

/** Where the plugin keeps a file of its own among Nx's data on a workspace. */
export function dataFile(workspaceRoot: string, name: string): string {
  return resolve(workspaceRoot, process.env.NX_WORKSPACE_DATA_DIRECTORY ?? '.nx/workspace-data', name);
}

/** What is in a file; undefined where there is none. */
export function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Writes a file whole or not at all: several commands of Nx may run at once. */
export function writeWhole(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, text);
  renameSync(temporary, file);
}
