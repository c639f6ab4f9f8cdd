import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { packageFolder } from '../tasks/version.ts';

/** The folder of a generator's templates, or of those that several use; it is found from the bundle that is published, too. */
export function templateFolder(generator = ''): string {
  return join(packageFolder, 'src/generators', generator, 'files');
}

/** The files that a folder of templates makes, relative to where it makes them. */
export async function templateFiles(folder: string): Promise<readonly string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/').replace('__tmpl__', ''));
}
