import { join } from 'node:path';
import { testFileName } from '../tasks/files.ts';
import type { Disk } from './disk.ts';

/**
 * The files that scenarios look at, mostly in volumes, as they write them. Of what is no scenario, or cannot be read, the test
 * itself tells.
 *
 * @param folder  the Kraftfile's, absolute
 */
export function checkedFiles(disk: Disk, folder: string): readonly string[] {
  // The folder will be listed anyway.
  if (!disk.holds(folder, testFileName)) return [];
  const file = join(folder, testFileName);
  if (!disk.hasFile(file)) return [];
  const text = disk.read(file) ?? '';
  return listIn(parseIfJson(text), 'scenarios')
    .flatMap((scenario) => listIn(scenario, 'files'))
    .map((one) => (one as { readonly path?: unknown } | null)?.path)
    .filter((path) => typeof path === 'string');
}

function listIn(value: unknown, name: string): readonly unknown[] {
  const list = (value as Readonly<Record<string, unknown>> | null | undefined)?.[name];
  return Array.isArray(list) ? list : [];
}

function parseIfJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
