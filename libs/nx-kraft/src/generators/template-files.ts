import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

/** The files that a folder of templates makes, relative to where it makes them. */
export async function templateFiles(folder: string): Promise<readonly string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/').replace('__tmpl__', ''));
}
