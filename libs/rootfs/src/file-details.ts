import { createHash } from 'node:crypto';
import { type Dirent, lstatSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { globTest } from './globs.ts';
import { modeOf } from './modes.ts';

type Entry = Pick<Dirent, 'isDirectory' | 'isFile' | 'isSymbolicLink'>;

/** What root file systems take from the disk beside the contents of files; each place is looked at once for all of them. */
export class FileDetails {
  readonly #directory: string;
  readonly #children = new Map<string, readonly Dirent[]>();
  readonly #described = new Map<string, string | undefined>();

  /** @param directory  where all globs start; absolute */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * A digest over what most caches do not look at, which is all but the contents of files: permission bits other than those
   * of plain files and directories, symbolic links, and empty directories.
   *
   * @param files  globs of what is read, as `rootfsInputs` gives them
   * @param excluded  globs of what among them is not
   * @returns the empty text where there is nothing of the kind, as in most directories
   */
  digest(files: readonly string[], excluded: readonly string[]): string {
    const isRead = matcher(files);
    const isLeftOut = matcher(excluded);
    const lines: string[] = [];
    const visit = (path: string, entry: Entry): void => {
      const isDirectory = entry.isDirectory();
      const children = isDirectory && !isLeftOut(`${path}/_`) ? this.#list(path) : [];
      if (isRead(path) && !isLeftOut(path)) {
        const details = this.#describe(path, entry, isDirectory && children.length === 0);
        if (details !== undefined) lines.push(`${path}\0${details}`);
      }
      for (const child of children) visit(path === '.' ? child.name : `${path}/${child.name}`, child);
    };
    for (const start of startingPoints(files)) {
      const path = join(this.#directory, start);
      const entry = statSync(path, { throwIfNoEntry: false });
      if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink())
        lines.push(`${start}\0-> ${readlinkSync(path, 'latin1')}`);
      if (entry !== undefined) visit(start, entry);
    }
    return lines.length === 0 ? '' : createHash('sha256').update(lines.toSorted().join('\n')).digest('base64url');
  }

  #list(path: string): readonly Dirent[] {
    const children = this.#children.get(path) ?? list(join(this.#directory, path));
    this.#children.set(path, children);
    return children;
  }

  #describe(path: string, entry: Entry, isEmpty: boolean): string | undefined {
    // A directory is empty for those who read nothing of it.
    const key = isEmpty ? `${path}/` : path;
    if (!this.#described.has(key)) this.#described.set(key, describe(join(this.#directory, path), entry, isEmpty));
    return this.#described.get(key);
  }
}

/** What a cache over contents does not see of a file; undefined where it sees all. */
function describe(path: string, entry: Entry, isEmpty: boolean): string | undefined {
  if (entry.isSymbolicLink()) return `-> ${readlinkSync(path, 'latin1')}`;
  if (!entry.isFile() && !entry.isDirectory()) return undefined;
  const mode = modeOf((lstatSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o7777, 'git');
  if (mode === (entry.isDirectory() ? 0o755 : 0o644) && !isEmpty) return undefined;
  return `${mode.toString(8)}${isEmpty ? ' empty' : ''}`;
}

/** The children of a directory; none of one that cannot be read, of which the task itself tells. */
function list(path: string): readonly Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** The paths below which all of the globs lie: what comes before their first sign, and none below another. */
function startingPoints(globs: readonly string[]): readonly string[] {
  const fixed = globs.map((glob) => /^(?:[^*?[]*(?:\/|$))?/.exec(glob)?.[0].replace(/\/$/, '') ?? '');
  const paths = [...new Set(fixed.map((path) => path || '.'))].toSorted();
  return paths.filter((path) => !paths.some((other) => path.startsWith(`${other}/`)));
}

function matcher(globs: readonly string[]): (path: string) => boolean {
  const tests = globs.map(globTest);
  return (path) => tests.some((test) => test(path));
}
