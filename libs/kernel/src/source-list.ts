import { type Dirent, readFileSync, readdirSync } from 'node:fs';
import { FileFault, hasErrorCode, leadsNowhere, regularFile } from '@nx-kraft/base';

/** Never sources: git's own files, and what builds leave in an application's folder. */
const ignored = new Set(['.git', '.unikraft', '.nx', 'node_modules']);

/** Whether a path names what compilers, assemblers or linkers read. */
export const isCompiled = (path: string): boolean => /\.([chsS]|cc|cpp|cxx|hh|hpp|go|rs|ld|lds)$/.test(path);

/** What lies below a folder, as relative paths in an order of our own. */
export interface Sources {
  /** Files and links. */
  readonly paths: readonly string[];
  /** Those of them that are links; what a link leads to is not looked at. */
  readonly links: readonly string[];
  /** Folders and links that were left out. */
  readonly apart: readonly string[];
  /** The folders whose names were read, the empty path for the one that it began with. */
  readonly folders: readonly string[];
}

/** @param isApart  whether a folder or link below, by its relative path, is left out */
export function findSources(folder: string, isApart: (path: string) => boolean = () => false): Sources {
  const [paths, links, apart, folders]: [string[], string[], string[], string[]] = [[], [], [], []];
  const visit = (below: string): void => {
    folders.push(below);
    for (const entry of entriesOf(folder, below).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (ignored.has(entry.name)) continue;
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isFile()) paths.push(path);
      else if (isApart(path)) {
        apart.push(path);
        continue;
      } else if (entry.isDirectory()) visit(path);
      else paths.push(path);
      if (entry.isSymbolicLink()) links.push(path);
    }
  };
  visit('');
  return { paths, links, apart, folders };
}

/** The files and links below a folder, as {@link findSources} finds them. */
export function listSources(folder: string): readonly string[] {
  return findSources(folder).paths;
}

/** Nothing of a link that leads nowhere or to a folder, and of what may not or cannot be read, of which the build tells. */
export function readSource(file: string): Buffer {
  try {
    return readFileSync(regularFile(file));
  } catch (error) {
    if (error instanceof FileFault || leadsNowhere(error) || hasErrorCode(error, 'EISDIR')) return Buffer.alloc(0);
    throw error;
  }
}

/** None of a folder that may not be read, nor of one below that is gone by now. */
function entriesOf(folder: string, below: string): readonly Dirent[] {
  try {
    return readdirSync(below === '' ? folder : `${folder}/${below}`, { withFileTypes: true });
  } catch (error) {
    if (hasErrorCode(error, 'EACCES') || (below !== '' && hasErrorCode(error, 'ENOENT'))) return [];
    throw error;
  }
}
