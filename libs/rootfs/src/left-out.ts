import { globTest, splitGlob } from './globs.ts';

/** What one source is read for: globs of files, and globs of what among them is not read. */
export interface Reading {
  readonly files: readonly string[];
  readonly excluded: readonly string[];
}

/** Each of some readings once: mostly those for all architectures are the same. */
export function uniqueReadings<T extends Reading>(readings: readonly T[]): readonly T[] {
  if (readings.length < 2) return readings;
  return [...new Map(readings.map((reading) => [JSON.stringify(reading), reading])).values()];
}

/**
 * Globs of what several readings leave out together, for those who can only tell all files and all that are none: an
 * ignore file mostly names the Dockerfile beside it, or a folder that another image is made of. Where a glob would hide
 * what somebody reads it becomes narrower, or goes.
 */
export function leftOutOfAll(readings: readonly Reading[]): readonly string[] {
  const all = readings.flatMap((reading) =>
    reading.excluded.flatMap((glob) => {
      const others = readings.filter((other) => other !== reading && !other.excluded.includes(glob));
      return sparing(
        glob,
        others.flatMap(({ files }) => files).filter((file) => mayMeet(glob.split('/'), file.split('/'))),
      );
    }),
  );
  return [...new Set(all)];
}

function sparing(glob: string, files: readonly string[]): readonly string[] {
  const starts = files.map(splitGlob);
  const below = starts.flatMap(({ path, rest }) =>
    rest === '' ? [] : [path.split('/').filter((part) => part !== '')],
  );
  const single = starts.flatMap(({ path, rest }) => (rest === '' && path !== '' ? [path] : []));
  return sparingFolders(glob.split('/'), below).flatMap((parts) => sparingFiles(parts, single));
}

/** The parts of globs that match what another one does, but nothing below some folders. */
function sparingFolders(glob: readonly string[], folders: readonly (readonly string[])[]): readonly string[][] {
  const hidden = folders.filter((folder) => mayMatchBelow(glob, folder));
  if (hidden.length === 0) return [[...glob]];
  const deep = glob.indexOf('**');
  // What lies at or above the place from which it looks cannot be told from the rest.
  if (deep < 0 || hidden.some((folder) => folder.length <= deep)) return [];
  const { elsewhere, here } = splitDeep(glob, deep, hidden);
  return [...elsewhere, ...sparingFolders(here, hidden)];
}

/**
 * Takes a glob with `**` apart: what it matches in other folders than those with some paths, and what it matches at its
 * place. Nx knows no folder "of any name but this": those that begin with another letter come next to it.
 */
function splitDeep(glob: readonly string[], deep: number, paths: readonly (readonly string[])[]) {
  const [before, after] = [glob.slice(0, deep), glob.slice(deep + 1)];
  const letters = [...new Set(paths.flatMap((path) => path[deep]?.[0] ?? []))].join('');
  const others = letters === '' ? '*' : isPlain(letters) ? `[^${letters}]*` : undefined;
  return {
    elsewhere: others === undefined ? [] : [[...before, others, '**', ...after]],
    here: [...before, ...after],
  };
}

/** Whether a glob, by its parts, may match a folder, one above it or something below it. */
export function mayMatchBelow(glob: readonly string[], folder: readonly string[]): boolean {
  for (const [index, part] of glob.entries()) {
    const name = folder[index];
    if (part === '**' || name === undefined) return true;
    if (!globTest(part)(name)) return false;
  }
  return true;
}

/** Whether two globs, by their parts, may match the same, or one of them something above what the other does. */
function mayMeet(one: readonly string[], other: readonly string[]): boolean {
  for (const [index, part] of one.entries()) {
    const counterpart = other[index];
    if (part === '**' || counterpart === '**' || counterpart === undefined) return true;
    if (!mayMatchSame(part, counterpart)) return false;
  }
  return true;
}

/** Of two with signs nobody looks further than their first letters. */
function mayMatchSame(one: string, other: string): boolean {
  const [plain, otherPlain] = [one, other].map(splitGlob);
  if (plain?.rest === '') return globTest(other)(plain.path);
  if (otherPlain?.rest === '') return globTest(one)(otherPlain.path);
  const [start = '', otherStart = ''] = [one, other].map((glob) => /^[\w.-]*/.exec(glob)?.[0]);
  return start.startsWith(otherStart) || otherStart.startsWith(start);
}

/** The same for files. */
function sparingFiles(glob: readonly string[], files: readonly string[]): readonly string[] {
  const text = glob.join('/');
  // Nx does not look at a path at all where all below it is left out.
  if (files.includes(splitGlob(text).path)) return [];
  const hidden = files.filter(globTest(text));
  if (hidden.length === 0) return [text];
  const paths = hidden.map((path) => path.split('/'));
  const names = paths.flatMap((path) => path.at(-1) ?? []);
  if (glob.at(-1) === '*' && names.every(isPlain)) return [[...glob.slice(0, -1), `!(${names.join('|')})`].join('/')];
  const deep = glob.indexOf('**');
  if (deep < 0) return [];
  const folders = paths.map((path) => path.slice(0, -1));
  const { elsewhere, here } = splitDeep(glob, deep, folders);
  return [...elsewhere.map((parts) => parts.join('/')), ...sparingFiles(here, files)];
}

/** Whether a text has none of the signs that mean something in `!(…)` and in `[^…]`. */
function isPlain(text: string): boolean {
  return /^[\w.@+~ ]+$/.test(text);
}
