import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { type Dirent, lstatSync, readdirSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { unlessNowhere } from '@nx-kraft/base';
import { ContentDigests, digestOf } from './content-digests.ts';
import { globsTest, splitGlob } from './globs.ts';
import { modeOf } from './modes.ts';

type Entry = Pick<Dirent, 'isDirectory' | 'isFile' | 'isSymbolicLink'>;

/** What root file systems take from the disk beside the contents of files; each place is looked at once for all of them. */
export class FileDetails {
  readonly #directory: string;
  readonly #children = new Map<string, readonly Dirent[]>();
  readonly #described = new Map<string, string | undefined>();
  readonly #contents: ContentDigests;

  /**
   * @param directory  where all globs start; absolute
   * @param contents  what is known of the contents of files
   */
  constructor(directory: string, contents = new ContentDigests()) {
    this.#directory = directory;
    this.#contents = contents;
  }

  /**
   * A digest over what Nx does not look at: permission bits other than those of plain files and directories, symbolic
   * links, and empty directories; all of what has a name that is no UTF-8; and the contents of files in folders that it
   * passes over. What is behind links counts where globs name it.
   *
   * @param files  globs of what is read, with a slash at the end of folders of which nothing below counts, as `rootfsInputs` gives them
   * @param excluded  globs of what among them is not
   * @param isLinked  whether it counts, too, which of the files are one with several names
   * @returns the empty text where there is nothing of the kind, as in most directories
   */
  digest(files: readonly string[], excluded: readonly string[], isLinked = false): string {
    const isRead = globsTest(files);
    const isLeftOut = globsTest(excluded);
    const isAlone = globsTest(files.filter((glob) => glob.endsWith('/')).map((glob) => glob.slice(0, -1)));
    const lines: string[] = [];
    const names = new Map<string, string[]>();
    const visit = (path: string, entry: Entry, isUnseen: boolean): void => {
      const isDirectory = entry.isDirectory();
      const children = isDirectory && !isLeftOut(`${path}/_`) ? this.#list(path) : [];
      if (isRead(path) && !isLeftOut(path)) {
        lines.push(...this.#line(path, entry, isDirectory && children.length === 0));
        if (isUnseen && entry.isFile()) lines.push(`${path}\0${this.#contents.of(join(this.#directory, path))}`);
        if (isLinked && entry.isFile()) this.#addName(names, path);
      } else if (!entry.isFile() && isAlone(path) && !isLeftOut(path)) {
        lines.push(...this.#line(path, entry));
      }
      for (const child of children) {
        const below = path === '.' ? child.name : `${path}/${child.name}`;
        // Several may read the same so, and none of them can be opened by it.
        if (child.name.includes('\ufffd')) lines.push(...(isRead(below) ? this.#odd(path) : []));
        else visit(below, child, isUnseen || passedOver.test(below));
      }
    };
    for (const [start, isWhole] of startingPoints(files)) {
      const path = join(this.#directory, start);
      const link = unlessNowhere(() => lstatSync(path));
      if (link?.isSymbolicLink() === true) lines.push(`${start}\0-> ${readlinkSync(path, 'latin1')}`);
      const entry = link === undefined ? undefined : this.#stat(start);
      if (entry === undefined) continue;
      if (isWhole || !entry.isDirectory()) visit(start, entry, start.includes('\\'));
      else lines.push(...(isLeftOut(start) ? [] : this.#line(start, entry)));
    }
    for (const paths of names.values()) if (paths.length > 1) lines.push(`${paths.toSorted().join('\0')}\0=`);
    return lines.length === 0 ? '' : createHash('sha256').update(lines.toSorted().join('\n')).digest('base64url');
  }

  #list(path: string): readonly Dirent[] {
    const children = this.#children.get(path) ?? list(join(this.#directory, path));
    this.#children.set(path, children);
    return children;
  }

  #stat(path: string): Stats | undefined {
    return unlessNowhere(() => statSync(join(this.#directory, path)));
  }

  /** What has names of other bytes than text in a directory. */
  #odd(path: string): readonly string[] {
    const directory = Buffer.from(join(this.#directory, path));
    const names = readdirSync(directory, { encoding: 'buffer' }).filter((name) => !isUtf8(name));
    return names.map((name) => `${path}\0${describeWhole(directory, name)}`);
  }

  /** Adds a path to the names of its file, where that has several. */
  #addName(names: Map<string, string[]>, path: string): void {
    const stats = unlessNowhere(() => lstatSync(join(this.#directory, path)));
    if (stats === undefined || stats.nlink < 2) return;
    const file = `${stats.dev}:${stats.ino}`;
    names.set(file, [...(names.get(file) ?? []), path]);
  }

  #line(path: string, entry: Entry, isEmpty = false): readonly string[] {
    const details = this.#describe(path, entry, isEmpty);
    return details === undefined ? [] : [`${path}\0${details}`];
  }

  #describe(path: string, entry: Entry, isEmpty: boolean): string | undefined {
    // A directory is empty for those who read nothing of it.
    const key = isEmpty ? `${path}/` : path;
    if (!this.#described.has(key)) this.#described.set(key, describe(join(this.#directory, path), entry, isEmpty));
    return this.#described.get(key);
  }
}

/**
 * The folders that Nx passes over unless a glob begins with them, and names with a backslash, which it takes for a slash. The
 * workspace's own folders are no part of this: what copies a whole workspace leaves them out, or would be made again by each
 * command.
 */
const passedOver = /\\|\/(node_modules|\.git|\.yarn\/cache|\.nx\/(cache|workspace-data))$/;

/** All of what lies at a path of bytes. */
function describeWhole(directory: Buffer, name: Buffer): string {
  const path = Buffer.concat([directory, Buffer.from('/'), name]);
  const stats = lstatSync(path);
  const mode = modeOf(stats.mode & 0o7777, 'git').toString(8);
  const content = (): string => {
    if (stats.isSymbolicLink()) return `-> ${readlinkSync(path, 'latin1')}`;
    if (stats.isFile()) return `${mode} ${digestOf(path)}`;
    if (!stats.isDirectory()) return '';
    const children = readdirSync(path, { encoding: 'buffer' }).sort((a, b) => a.compare(b));
    return `${mode} ${JSON.stringify(children.map((child) => describeWhole(path, child)))}`;
  };
  return `${name.toString('latin1')} ${content()}`;
}

/** What a cache over contents does not see of a file; undefined where it sees all. */
function describe(path: string, entry: Entry, isEmpty: boolean): string | undefined {
  if (entry.isSymbolicLink()) return `-> ${readlinkSync(path, 'latin1')}`;
  if (!entry.isFile() && !entry.isDirectory()) return undefined;
  const mode = modeOf((unlessNowhere(() => lstatSync(path))?.mode ?? 0) & 0o7777, 'git');
  if (mode === (entry.isDirectory() ? 0o755 : 0o644) && !isEmpty) return undefined;
  return `${mode.toString(8)}${isEmpty ? ' empty' : ''}`;
}

/** The children of a directory; none of one that cannot be read. */
function list(path: string): readonly Dirent[] {
  return unlessNowhere(() => readdirSync(path, { withFileTypes: true })) ?? [];
}

/**
 * The paths at and below which all of the globs lie, none of them below another that is read as a whole, and whether they are
 * themselves: of a folder that is named alone nothing below counts.
 */
export function startingPoints(globs: readonly string[]): readonly (readonly [path: string, isWhole: boolean])[] {
  const starts = new Map<string, boolean>();
  for (const glob of globs) {
    const path = splitGlob(glob).path.replace(/\/$/, '') || '.';
    starts.set(path, starts.get(path) === true || !glob.endsWith('/'));
  }
  const whole = [...starts].flatMap(([path, isWhole]) => (isWhole ? [path] : []));
  return [...starts].toSorted().filter(([path]) => !whole.some((other) => path.startsWith(`${other}/`)));
}
