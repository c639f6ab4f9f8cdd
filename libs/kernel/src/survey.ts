import { existsSync, readlinkSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, posix, relative, resolve } from 'node:path';
import { hasErrorCode, leadsNowhere } from '@nx-kraft/base';
import { findAbsolute, findClimbs, findIncluded, isBuildFile, leadsOut, onlyGoesUp } from './climbs.ts';
import { compilersOfSources, findOtherCompilers, type OtherCompilerName } from './other-compilers.ts';
import { type Included, includedAround } from './source-includes.ts';
import { findSources, isCompiled, readSource, type Sources } from './source-list.ts';
import { findTakenVariables } from './taken-variables.ts';

/** What an application or a library takes from around its folder. Paths are relative to the folder. */
export interface BuildFilesSurvey {
  /** The build files below the folder, and those in the places around it. */
  readonly files: readonly string[];
  /**
   * The places around the folder to which its build files go up, as with `$(APP_BASE)/../common/x.c`. Hidden ones need not be
   * there yet.
   */
  readonly climbs: readonly string[];
  /** The places around the folder to which links lead, in the folder or on the way to such a place. */
  readonly linked: readonly string[];
  /** The files around the folder that its sources include by where they lie, and what these include so. */
  readonly included: readonly string[];
  /** The absolute paths that its build files name, of what is there. */
  readonly absolute: readonly string[];
  /** The variables that its build files may take from the environment. */
  readonly variables: readonly string[];
  /** What lies in the folder and counts as none of it, but is named by its build files. */
  readonly named: readonly string[];
  /** What of all these files is hidden from others, and may have a part in the build. */
  readonly hidden: readonly string[];
  /** The compilers beside GCC that may have a part in the build. */
  readonly compilers: readonly OtherCompilerName[];
  /** What lies in the folder itself. */
  readonly own: Pick<Sources, 'paths' | 'apart'>;
  /** All that this was found from. */
  readonly basis: SurveyBasis;
}

/** What a survey was made from: while this is the same, another one finds the same. Paths are relative to the folder. */
export interface SurveyBasis {
  /** Folders whose names were read. */
  readonly folders: readonly string[];
  /** Files whose contents were read. */
  readonly files: readonly string[];
  /** Places, some of them absolute, where it counts whether there is something, and where links on the way lead. */
  readonly places: readonly string[];
}

export interface Scope {
  /** Whether a folder or link below, by its relative path, has no part in the build. */
  readonly isApart?: (path: string) => boolean;
  /** Whether a file or folder, by its relative path, is hidden from who else lists what is there. */
  readonly isHidden?: (path: string) => boolean;
  /**
   * An absolute path: places outside of it are told, but not looked into. Only within it links with absolute paths are
   * followed: others are rather meant for a guest or made by tools, and lead elsewhere on each machine. They are told where
   * they have the name of a source, or build files name them.
   */
  readonly within?: string;
}

/**
 * Reads the build files of an application or a library, and those in the places around it to which these and links lead,
 * which may go on from there. It waits for the disk, since it is asked for each Kraftfile on each command, and most folders
 * are small.
 */
export function surveyBuildFiles(folder: string, { isApart, isHidden, within }: Scope = {}): BuildFilesSurvey {
  const files = new Set<string>();
  const climbs = new Set<string>();
  const linked = new Set<string>();
  const absolute = new Set<string>();
  const compilers = new Set<OtherCompilerName>();

  const others = new Set<string>();
  const folders = new Set<string>();
  const places = new Set<string>();
  /** Links that are not followed, and where they lead. */
  const astray = new Map<string, string>();
  const included: RegExp[] = [];
  const isRead = (place: string): boolean => within === undefined || isInside(within, join(folder, place));

  const takeIn = ({ paths, links, folders: listed }: Sources): void => {
    for (const path of listed) folders.add(path);
    for (const path of links) places.add(path);
    for (const path of paths) {
      if (isBuildFile(path) || included.some((end) => end.test(path))) files.add(path);
      else others.add(path);
    }
    for (const name of compilersOfSources(paths)) compilers.add(name);
    links.forEach(follow);
    for (const path of links) {
      const target = readTarget(join(folder, path));
      if (target !== undefined && isAbsolute(target) && !isRead(relative(folder, target))) astray.set(path, target);
    }
  };
  /** Gives whether there is a link on the way to a path. */
  const follow = (path: string): boolean => {
    const place = behindFirstLink(folder, path, within);
    if (place === undefined) return false;
    if (leadsOut(place) && !linked.has(place)) {
      linked.add(place);
      lookInto(place);
    }
    return true;
  };
  const lookInto = (place: string): void => {
    // What build files and links say starts from where they lie, and not from a link that leads there.
    if (follow(place)) return;
    if (isRead(place)) takeIn(sourcesAt(folder, place));
  };

  const own = findSources(folder, isApart);
  takeIn(own);
  const texts: string[] = [];
  // Grows meanwhile.
  for (const file of files) {
    const text = readSource(join(folder, file)).toString();
    texts.push(text);
    for (const name of findOtherCompilers(text.split('\n'))) compilers.add(name);
    for (const path of findAbsolute(text)) {
      if (existsSync(path)) absolute.add(path);
      else places.add(path);
    }
    const ends = findIncluded(text);
    included.push(...ends);
    if (ends.length > 0) for (const path of others) if (ends.some((end) => end.test(path))) files.add(path);
    for (const climb of findClimbs(file, text)) {
      if (climbs.has(climb)) continue;
      places.add(climb);
      const isThere = existsSync(join(folder, climb));
      // What is hidden other tasks may have yet to make.
      if (!isThere && !(isRead(climb) && isHidden?.(climb) === true)) continue;
      climbs.add(climb);
      if (isThere) lookInto(climb);
    }
  }
  // Only for those who ask: all sources are read for it.
  let around: Included | undefined;
  const compiled = (): readonly string[] => [...others].filter(isCompiled);
  const includes = (): Included => (around ??= includedAround(folder, compiled(), isRead));
  const isNamed = (path: string): boolean => texts.some((text) => text.includes(`/${path}`));
  const isNamedInFull = (path: string): boolean =>
    texts.some((text) => text.split(`/${path}`).some((rest, index) => index > 0 && !/^[\w.+-]/.test(rest)));
  for (const [path, target] of astray) {
    if (isCompiled(path) || isBuildFile(path) || isNamedInFull(path)) linked.add(relative(folder, target));
  }
  return {
    files: [...files],
    climbs: [...climbs],
    linked: [...linked],
    get included() {
      return includes().found;
    },
    absolute: [...absolute],
    variables: findTakenVariables(texts),
    named: own.apart.filter(isNamed),
    hidden: isHidden === undefined ? [] : findHidden([...new Set([...files, ...own.paths])], isHidden, isNamed, files),
    compilers: [...compilers].toSorted(),
    own,
    get basis() {
      const { found, missing } = includes();
      return {
        folders: [...folders],
        files: [...files, ...compiled(), ...found],
        places: [...places, ...missing],
      };
    },
  };
}

/**
 * The hidden files that may have a part in the build: build files, what these name, and sources, where no folder is hidden as a
 * whole that build files do not name: such a folder is mostly what tools have made for themselves.
 */
function findHidden(
  paths: readonly string[],
  isHidden: (path: string) => boolean,
  isNamed: (path: string) => boolean,
  buildFiles: ReadonlySet<string>,
): readonly string[] {
  return paths.filter((path) => {
    const isTaken = buildFiles.has(path) || isNamed(path);
    if (!(isTaken || isCompiled(path)) || !isHidden(path)) return false;
    const folder = isTaken ? undefined : foldersAround(path).find(isHidden);
    return folder === undefined || isNamed(folder);
  });
}

/** The outermost first. */
function foldersAround(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_part, index) => parts.slice(0, index + 1).join('/'));
}

/**
 * Another path to what lies at a path from a folder: the first link on the way is replaced by what it leads to. Undefined
 * where there is none, and for one that is not followed or leads to nothing.
 */
function behindFirstLink(folder: string, path: string, within: string | undefined): string | undefined {
  let link = folder;
  const rest = path.split('/');
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    link = join(link, name);
    // Around the folder lies what is around its path, whatever that is a link to.
    const target = name === '..' ? undefined : readTarget(link);
    if (target === undefined) continue;
    const full = resolve(dirname(link), target, ...rest);
    const isFollowed = !isAbsolute(target) || (within !== undefined && isInside(within, full));
    return isFollowed && existsSync(full) ? relative(folder, full) : undefined;
  }
  return undefined;
}

/** Where a link leads; undefined for what is no link. */
function readTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (hasErrorCode(error, 'EINVAL') || leadsNowhere(error)) return undefined;
    throw error;
  }
}

function isInside(folder: string, path: string): boolean {
  return !leadsOut(relative(folder, path));
}

const nothing: Sources = { paths: [], links: [], apart: [], folders: [] };

/** What lies at a place around a folder, by paths relative to the folder. */
function sourcesAt(folder: string, place: string): Sources {
  if (onlyGoesUp(place)) return nothing;
  if (!statSync(join(folder, place)).isDirectory()) return { ...nothing, paths: [place] };
  const { paths, links, folders } = findSources(join(folder, place));
  const atPlace = (path: string): string => posix.join(place, path);
  return { ...nothing, paths: paths.map(atPlace), links: links.map(atPlace), folders: folders.map(atPlace) };
}
