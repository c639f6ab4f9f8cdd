import { lstatSync, readdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { unlessNowhere } from '@nx-kraft/base';
import { startingPoints } from './file-details.ts';
import { globsTest } from './globs.ts';
import { mayMatchBelow, type Reading } from './left-out.ts';

/** What a reading takes from the disk. */
export interface ReadEntry {
  /** Relative to the directory that was asked. */
  readonly path: string;
  readonly stats: Stats;
}

/**
 * What a reading takes from the disk: files and links, and directories whose names count. Of directories that hold something
 * that is left out nobody can tell which of their names are others.
 *
 * @param directory  where all globs start; absolute
 * @param isApart  whether a path, relative to the directory, is left out, too
 */
export function* readEntries(
  directory: string,
  { files, excluded }: Reading,
  isApart: (path: string) => boolean,
): Generator<ReadEntry> {
  const isRead = globsTest(files);
  const isExcluded = globsTest(excluded);
  const isLeftOut = (path: string): boolean => isExcluded(path) || isApart(path);
  const parts = files.map((glob) => glob.split('/'));
  const mayHold = (path: string): boolean => path === '.' || parts.some((glob) => mayMatchBelow(glob, path.split('/')));
  const visit = function* (path: string): Generator<ReadEntry> {
    const stats = isLeftOut(path) ? undefined : unlessNowhere(() => lstatSync(join(directory, path)));
    if (stats === undefined) return;
    if (!stats.isDirectory()) {
      if (isRead(path)) yield { path, stats };
    } else if (mayHold(path)) {
      const children = namesIn(join(directory, path)).map((name) => (path === '.' ? name : `${path}/${name}`));
      const isWhole = isRead(path) || isRead(`${path}/_/_`);
      if (isWhole && !children.some(isLeftOut)) yield { path, stats };
      for (const child of children) yield* visit(child);
    }
  };
  for (const [path, isWhole] of startingPoints(files)) if (isWhole) yield* visit(path);
}

/** None in a directory that went away, or cannot be read: of that the build itself tells. */
function namesIn(path: string): readonly string[] {
  return unlessNowhere(() => readdirSync(path)) ?? [];
}
