import { type Dirent, readdirSync } from 'node:fs';
import { hasErrorCode } from '@nx-kraft/base';

/** Never sources: git's own files, and what builds leave in an application's folder. */
const ignored = new Set(['.git', '.unikraft', '.nx', 'node_modules']);

/**
 * Lists the files and links below a folder as relative paths, in an order of our own.
 *
 * @param isApart  whether a folder below, by its relative path, is left out
 */
export function listSources(
  folder: string,
  isApart: (path: string) => boolean = () => false,
  below = '',
): readonly string[] {
  return entriesOf(folder, below)
    .filter((entry) => !ignored.has(entry.name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (!entry.isDirectory()) return [path];
      return isApart(path) ? [] : listSources(folder, isApart, path);
    });
}

/** None of a folder below that may not be read or is gone by now. */
function entriesOf(folder: string, below: string): readonly Dirent[] {
  try {
    return readdirSync(below === '' ? folder : `${folder}/${below}`, { withFileTypes: true });
  } catch (error) {
    if (below !== '' && hasErrorCode(error, 'ENOENT', 'EACCES')) return [];
    throw error;
  }
}
