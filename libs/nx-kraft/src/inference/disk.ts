import { readdirSync, readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, posix, relative, resolve, sep } from 'node:path';
import { unlessNowhere } from '@nx-kraft/base';
import { type BuildFilesSurvey, surveyBuildFiles } from '@nx-kraft/kernel/survey';
import { Ignored } from './ignored.ts';
import { Looked, type Seen } from './looked.ts';

/**
 * What lies where during one inference. Most of what inference asks for is not there, or is behind no link, and one listing
 * of a folder answers all of that at the price of a single `stat`.
 */
export class Disk {
  /** Behind all links. */
  readonly workspaceRoot: string;
  /** What the paths of all that lies within begin with. */
  readonly #within: string;
  readonly #entries = new Map<string, Entries>();
  readonly #stats = new Map<string, Stats | undefined>();
  readonly #realPaths = new Map<string, string>();
  readonly #surveys = new Map<string, { readonly survey: BuildFilesSurvey; readonly isUnseen: PathTest }>();
  /** What Nx passes over. */
  readonly ignored = new Ignored(this);
  readonly looked = new Looked();

  constructor(workspaceRoot: string) {
    this.workspaceRoot = realpathSync(workspaceRoot);
    this.#within = this.workspaceRoot + sep;
  }

  /** Whether an absolute path is one below the workspace's. */
  isWithin(path: string): boolean {
    return path.startsWith(this.#within);
  }

  /** Whether there is something at an absolute path; a link counts, wherever it leads. */
  has(path: string): boolean {
    return this.holds(dirname(path), basename(path));
  }

  /** The same of a name in a folder. */
  holds(folder: string, name: string): boolean {
    return this.#entriesOf(folder).has(name);
  }

  /** Whether there is a file at an absolute path, or a link to one, that can be read to its end: no pipe, socket or device. */
  hasFile(path: string): boolean {
    return this.holdsFile(dirname(path), basename(path));
  }

  /** The same of a name in a folder. */
  holdsFile(folder: string, name: string): boolean {
    // To list a folder for one file would cost more than to ask for that.
    const listed = this.#entries.get(folder);
    return (listed === undefined || listed.has(name)) && this.stats(join(folder, name))?.isFile() === true;
  }

  hasFolder(path: string): boolean {
    return this.stats(path)?.isDirectory() === true;
  }

  /** What lies at an absolute path, behind links; undefined where that leads nowhere, of which the task tells that takes it. */
  stats(path: string): Stats | undefined {
    if (this.#stats.has(path)) return this.#stats.get(path);
    this.looked.place(path);
    const stats = unlessNowhere(() => statSync(path, { throwIfNoEntry: false }));
    this.#stats.set(path, stats);
    return stats;
  }

  /** The text of a file at an absolute path; undefined where it may not be read, or is gone. */
  read(path: string): string | undefined {
    this.looked.contents(path);
    return unlessNowhere(() => readFileSync(path, 'utf8'));
  }

  /** Whether a name in a folder is a link. */
  isLink(folder: string, name: string): boolean {
    return this.#entriesOf(folder).get(name) === 'link';
  }

  /** The names of what is in a folder. */
  names(folder: string): readonly string[] {
    return [...this.#entriesOf(folder).keys()];
  }

  /**
   * Where an absolute path leads, behind all links on the way; where nothing is, what is missing counts as no link. What Nx
   * knows of the files that git does not ignore goes through no links, so keys see what lies there under this path alone.
   */
  realPath(path: string): string {
    const known = this.#realPaths.get(path);
    if (known !== undefined) return known;
    const real = this.isWithin(path) ? this.#realPathWithin(path) : this.#follow(path);
    this.#realPaths.set(path, real);
    return real;
  }

  #realPathWithin(path: string): string {
    const folder = this.realPath(dirname(path));
    const name = basename(path);
    const real = join(folder, name);
    return this.#entriesOf(folder).get(name) === 'link' ? this.#follow(real) : real;
  }

  #follow(path: string): string {
    this.looked.place(path);
    return realPathIfThere(path);
  }

  /** Whether git or Nx pass over all of a folder, relative to the workspace, as mostly over a repository of its own within it. */
  isPassedOver(folder: string): boolean {
    return (folder !== '.' && this.has(join(this.workspaceRoot, folder, '.git'))) || this.ignored.has(folder);
  }

  /**
   * What the build files of an application or a library say.
   *
   * @param isApart  whether a folder or link below, by its relative path, has no part in the build; the same each time
   */
  buildFiles(folder: string, isApart: PathTest): BuildFilesSurvey {
    const known = this.#surveys.get(folder);
    if (known !== undefined) return known.survey;
    const root = relative(this.workspaceRoot, this.realPath(folder)).split(sep).join('/') || '.';
    const isHidden: PathTest = (path) => this.ignored.has(posix.join(root, path));
    const isSeen = !root.startsWith('..') && !this.isPassedOver(root);
    const survey = surveyBuildFiles(folder, {
      isApart,
      within: this.workspaceRoot,
      ...(isSeen ? { isHidden } : {}),
    });
    this.#surveys.set(folder, { survey, isUnseen: (path) => !isSeen || isHidden(path) });
    return survey;
  }

  /** What was looked at. Only for those who ask: it is more than most commands need. */
  seen(): Seen {
    for (const [folder, { survey, isUnseen }] of this.#surveys) {
      const { folders, files, places } = survey.basis;
      for (const path of folders) this.looked.contents(join(folder, path));
      for (const path of places) this.looked.place(resolve(folder, path));
      // Of all others Nx itself sees changes, and infers anew.
      for (const path of files) if (isUnseen(path)) this.looked.contents(join(folder, path));
    }
    return this.looked.seen(this.workspaceRoot);
  }

  #entriesOf(folder: string): Entries {
    const known = this.#entries.get(folder);
    if (known !== undefined) return known;
    this.looked.contents(folder);
    const entries = listing(folder);
    this.#entries.set(folder, entries);
    return entries;
  }
}

/** Tells something of a path relative to a folder. */
type PathTest = (path: string) => boolean;

/** What is in a folder, by name. */
type Entries = ReadonlyMap<string, 'link' | 'other'>;

function realPathIfThere(path: string): string {
  return unlessNowhere(() => realpathSync.native(path)) ?? path;
}

function listing(folder: string): Entries {
  const entries = unlessNowhere(() => readdirSync(folder, { withFileTypes: true })) ?? [];
  return new Map(entries.map((entry) => [entry.name, entry.isSymbolicLink() ? 'link' : 'other']));
}
