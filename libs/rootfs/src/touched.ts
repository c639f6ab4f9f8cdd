import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { unlessNowhere } from '@nx-kraft/base';
import { startingPoints } from './file-details.ts';
import { globsTest } from './globs.ts';
import { mayMatchBelow, type Reading } from './left-out.ts';

/**
 * Something that a reading takes from the disk and that was touched after a time: a file or a link, or a directory whose
 * names are others now. Undefined where there is nothing of the kind. Of directories that hold something that is left out
 * nobody can tell which of their names are others. Times of changes count, which nobody can set: those of contents may lie in
 * the future.
 *
 * @param directory  where all globs start; absolute
 * @param time  in milliseconds since 1970
 * @param isApart  whether a path, relative to the directory, is somebody's result, which may appear at any time
 * @returns the path, relative to the directory
 */
export function touchedSince(
  directory: string,
  { files, excluded }: Reading,
  time: number,
  isApart: (path: string) => boolean,
): string | undefined {
  const isRead = globsTest(files);
  const isExcluded = globsTest(excluded);
  const isLeftOut = (path: string): boolean => isExcluded(path) || isApart(path);
  const parts = files.map((glob) => glob.split('/'));
  const mayHold = (path: string): boolean => path === '.' || parts.some((glob) => mayMatchBelow(glob, path.split('/')));
  const visit = (path: string): string | undefined => {
    const stats = isLeftOut(path) ? undefined : unlessNowhere(() => lstatSync(join(directory, path)));
    if (stats === undefined) return undefined;
    if (!stats.isDirectory()) return isRead(path) && stats.ctimeMs > time ? path : undefined;
    if (!mayHold(path)) return undefined;
    const children = namesIn(join(directory, path)).map((name) => (path === '.' ? name : `${path}/${name}`));
    const isWhole = isRead(path) || isRead(`${path}/_/_`);
    if (isWhole && stats.ctimeMs > time && !children.some(isLeftOut)) return path;
    return firstOf(children, visit);
  };
  return firstOf(
    startingPoints(files).flatMap(([path, isWhole]) => (isWhole ? [path] : [])),
    visit,
  );
}

function firstOf(paths: readonly string[], visit: (path: string) => string | undefined): string | undefined {
  for (const path of paths) {
    const found = visit(path);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** None in a directory that went away, or cannot be read: of that the build itself tells. */
function namesIn(path: string): readonly string[] {
  return unlessNowhere(() => readdirSync(path)) ?? [];
}
