import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { hasErrorCode } from '@nx-kraft/base';
import { findClimbs, isBuildFile, onlyGoesUp } from './climbs.ts';
import { compilersOfSources, findOtherCompilers, type OtherCompilerName } from './other-compilers.ts';
import { listSources } from './source-list.ts';

/** What the build files of an application or a library say. Paths are relative to its folder. */
export interface BuildFilesSurvey {
  /** The build files below the folder, and those in the places around it. */
  readonly files: readonly string[];
  /** The places around the folder to which these go up, as with `$(APP_BASE)/../common/x.c`. */
  readonly climbs: readonly string[];
  /** The compilers beside GCC that may have a part in the build. */
  readonly compilers: readonly OtherCompilerName[];
}

/**
 * Reads the build files of an application or a library, and those in the places to which they go up, which may go on from
 * there. It waits for the disk, since it is asked for each Kraftfile on each command, and most folders are small.
 *
 * @param isApart  whether a folder below, by its relative path, has no part in the build
 */
export function surveyBuildFiles(folder: string, isApart?: (path: string) => boolean): BuildFilesSurvey {
  const sources = listSources(folder, isApart);
  const files = new Set(sources.filter(isBuildFile));
  const climbs = new Set<string>();
  const compilers = new Set(compilersOfSources(sources));
  for (const file of files) {
    const text = readText(join(folder, file));
    for (const name of findOtherCompilers(text.split('\n'))) compilers.add(name);
    for (const climb of findClimbs(file, text)) {
      if (climbs.has(climb) || !existsSync(join(folder, climb))) continue;
      climbs.add(climb);
      for (const further of buildFilesAt(folder, climb)) files.add(further);
    }
  }
  return { files: [...files], climbs: [...climbs], compilers: [...compilers].toSorted() };
}

function buildFilesAt(folder: string, climb: string): readonly string[] {
  if (onlyGoesUp(climb)) return [];
  if (!statSync(join(folder, climb)).isDirectory()) return isBuildFile(climb) ? [climb] : [];
  return listSources(join(folder, climb))
    .filter(isBuildFile)
    .map((file) => posix.join(climb, file));
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
