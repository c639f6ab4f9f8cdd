import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Where the plugin keeps a file of its own among Nx's data on a workspace. */
export function dataFile(workspaceRoot: string, name: string): string {
  return resolve(workspaceRoot, process.env.NX_WORKSPACE_DATA_DIRECTORY ?? '.nx/workspace-data', name);
}

/** Writes a file whole or not at all: several commands of Nx may run at once. */
export function writeDataFile(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, text);
  renameSync(temporary, file);
}
