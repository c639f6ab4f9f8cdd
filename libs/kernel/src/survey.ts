import { existsSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, posix, relative, resolve } from 'node:path';
import { hasErrorCode } from '@nx-kraft/base';
import { findClimbs, isBuildFile, leadsOut, onlyGoesUp } from './climbs.ts';
import { compilersOfSources, findOtherCompilers, type OtherCompilerName } from './other-compilers.ts';
import { findSources, type Sources } from './source-list.ts';

/** What an application or a library takes from around its folder. Paths are relative to the folder. */
export interface BuildFilesSurvey {
  /** The build files below the folder, and those in the places around it. */
  readonly files: readonly string[];
  /** The places around the folder to which its build files go up, as with `$(APP_BASE)/../common/x.c`. */
  readonly climbs: readonly string[];
  /** The places around the folder to which links in it lead. */
  readonly linked: readonly string[];
  /** The compilers beside GCC that may have a part in the build. */
  readonly compilers: readonly OtherCompilerName[];
}

export interface Scope {
  /** Whether a folder or link below, by its relative path, has no part in the build. */
  readonly isApart?: (path: string) => boolean;
  /**
   * An absolute path: places outside of it are told, but not looked into. Only within it links with absolute paths are
   * followed: others are rather meant for a guest or made by tools, and lead elsewhere on each machine.
   */
  readonly within?: string;
}

/**
 * Reads the build files of an application or a library, and those in the places around it to which these and links lead,
 * which may go on from there. It waits for the disk, since it is asked for each Kraftfile on each command, and most folders
 * are small.
 */
export function surveyBuildFiles(folder: string, { isApart, within }: Scope = {}): BuildFilesSurvey {
  const files = new Set<string>();
  const climbs = new Set<string>();
  const linked = new Set<string>();
  const compilers = new Set<OtherCompilerName>();

  const takeIn = ({ paths, links }: Sources): void => {
    for (const path of paths) if (isBuildFile(path)) files.add(path);
    for (const name of compilersOfSources(paths)) compilers.add(name);
    links.forEach(follow);
  };
  const follow = (link: string): void => {
    const place = placeOfLink(folder, link, within);
    if (place === undefined || linked.has(place)) return;
    linked.add(place);
    lookInto(place);
  };
  const lookInto = (place: string): void => {
    const path = join(folder, place);
    if (within === undefined || isInside(within, path)) takeIn(sourcesAt(folder, place));
    // Links may lead to links.
    follow(place);
  };

  takeIn(findSources(folder, isApart));
  // Grows meanwhile.
  for (const file of files) {
    const text = readText(join(folder, file));
    for (const name of findOtherCompilers(text.split('\n'))) compilers.add(name);
    for (const climb of findClimbs(file, text)) {
      if (climbs.has(climb) || !existsSync(join(folder, climb))) continue;
      climbs.add(climb);
      lookInto(climb);
    }
  }
  return { files: [...files], climbs: [...climbs], linked: [...linked], compilers: [...compilers].toSorted() };
}

/** Where a link in a folder, or around it, leads out to; undefined for one that stays inside or leads to nothing. */
function placeOfLink(folder: string, link: string, within: string | undefined): string | undefined {
  const path = join(folder, link);
  const target = readTarget(path);
  if (target === undefined) return undefined;
  const full = resolve(dirname(path), target);
  if (isAbsolute(target) && (within === undefined || !isInside(within, full))) return undefined;
  const place = relative(folder, full);
  return leadsOut(place) && existsSync(full) ? place : undefined;
}

/** Where a link leads; undefined for what is no link. */
function readTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (hasErrorCode(error, 'EINVAL', 'ENOENT')) return undefined;
    throw error;
  }
}

function isInside(folder: string, path: string): boolean {
  return !leadsOut(relative(folder, path));
}

const nothing: Sources = { paths: [], links: [] };

/** What lies at a place around a folder, by paths relative to the folder. */
function sourcesAt(folder: string, place: string): Sources {
  if (onlyGoesUp(place)) return nothing;
  if (!statSync(join(folder, place)).isDirectory()) return { paths: [place], links: [] };
  const { paths, links } = findSources(join(folder, place));
  const atPlace = (path: string): string => posix.join(place, path);
  return { paths: paths.map(atPlace), links: links.map(atPlace) };
}

/** Empty for a link that leads nowhere or to a folder, and for what may not be read. */
function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'EISDIR', 'EACCES')) return '';
    throw error;
  }
}
