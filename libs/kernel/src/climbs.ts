import { posix } from 'node:path';

/** Files that say how to compile, not what: make does not compile anything again when one of them changes. */
export const isBuildFile = (path: string): boolean => /(^|\/)(Makefile[^/]*|Config[^/]*|[^/]*\.(uk|mk))$/.test(path);

/**
 * What tells the files that a build file takes in, also those of names that no {@link isBuildFile} knows: the ends of their
 * paths, as of `include $(APP_BASE)/flags.inc` in make and `source "$(APP_DIR)/more"` in KConfig. Variables may stand for
 * anything.
 */
export function findIncluded(text: string): readonly RegExp[] {
  const lines = text.replaceAll('\\\n', ' ').matchAll(/^\s*(?:-?include|sinclude|[or]{0,2}source)\s+(.+)/gm);
  const words = [...lines].flatMap(([, names = '']) => names.replace(/\s#.*/, '').split(/[\s"']+/));
  const ends = words.map((word) =>
    word
      .replaceAll(/\$[({][^(){}]*[)}]/g, '*')
      .replace(/[)}]+$/, '')
      .replace(/.*[(){}]/, '')
      .replace(/^([*.]*\/)+/, ''),
  );
  return [...new Set(ends)].filter((end) => !/^[$*.?]*$/.test(end)).map(endingWith);
}

function endingWith(end: string): RegExp {
  const escaped = end.replaceAll(/[.+^$|[\]\\]/g, '\\$&');
  return new RegExp(`(^|/)${escaped.replaceAll('*', '[^/]*').replaceAll('?', '[^/]')}$`);
}

/** Whether a relative path leads out of the folder that it starts from. */
export const leadsOut = (path: string): boolean => path === '..' || path.startsWith('../');

/** Whether a path only goes up, and so names nothing: around it may be a whole workspace. */
export const onlyGoesUp = (path: string): boolean => !/[^./]/.test(path);

/**
 * The paths that may lead out of a folder in the text of one of its build files, such as `../common/x.c` for
 * `$(APP_BASE)/../common/x.c`, relative to that folder. In a build file further down a path starts there, as those of
 * the library that it registers do, or behind a variable in the folder itself: both are given.
 *
 * @param file  the build file, relative to the folder
 */
export function findClimbs(file: string, text: string): readonly string[] {
  if (!text.includes('..')) return [];
  const own = posix.dirname(file);
  const found = new Set<string>();
  for (const [match, base, rest] of [...text.matchAll(plainWord), ...oddWords(text)]) {
    // Of `../common/net_*.c` the folder is known.
    const word = rest === undefined ? match : match.replace(/(?<=\/)(?!\.\.$)[^/]*$/, '');
    if (!word.includes('..')) continue;
    // As in `-I../include`, and in recipes.
    const path = posix.normalize(`./${word.replace(/^(-[A-Za-z]|[@+~-])/, '')}`).replace(/\/$/, '');
    if (!path.split('/').includes('..')) continue;
    const isBehindVariable = word.startsWith('/') || /\.(uk|mk)$/.test(file);
    if (base !== undefined || (isBehindVariable && !onlyGoesUp(path))) found.add(path);
    if (base === undefined || !base.startsWith('APP_BASE')) found.add(posix.join(own, path));
  }
  return [...found].filter(leadsOut);
}

const plainWord = /(?<=(\w*BASE[)}])?)[\p{L}\p{M}\p{N}_.+@~/-]+(?=([*?[%$])?)/gu;
const oddWord = /(?<=(\w*BASE\))?)[\p{L}\p{M}\p{N}_.+@~/,={}-]+(?=([*?[%$])?)/gu;

/** Words with signs that may be part of a path or end it, as in `-Wl,-T../link.lds`: each with and without what these end. */
function oddWords(text: string): readonly (readonly [string, string | undefined, string | undefined])[] {
  const withoutBraces = text.replaceAll(/\$\{(\w+)\}/g, '$($1)');
  return [...withoutBraces.matchAll(oddWord)].flatMap(([match, base, rest]) => {
    if (!/[,={}]/.test(match)) return [];
    const path = match.replace(/^[^./]*[,={}]/, '');
    const wildcard = /[,={}]$/.test(path) ? undefined : rest;
    return [path, path.replace(/[,={}]+[^/,={}]*$/, '')].map((word) => [word, base, wildcard] as const);
  });
}

/**
 * The absolute paths that a build file has for make, as includes, sources and folders with headers. What packages of the
 * system bring is left out: it belongs to compilers, whose versions are known.
 */
export function findAbsolute(text: string): readonly string[] {
  const lines = text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map((line) => line.replace(/(?<!\\)#.*/, ''));
  const words = lines.flatMap((line) => {
    const isList = /^\s*[-s]?include\s|_SRCS\S*\s*[:+?]?=/.test(line);
    return [...line.matchAll(isList ? absoluteWord : absoluteFlag)].map(([, path = '']) => path);
  });
  return [...new Set(words.map((word) => posix.normalize(word).replace(/\/$/, '')))].filter(
    (path) => !ofSystem.test(path),
  );
}

const absoluteWord = /[\s=](\/[\p{L}\p{M}\p{N}_.+@~/-]+)/gu;
const absoluteFlag = /-(?:I|L|isystem|iquote|include|imacros)\s*(\/[\p{L}\p{M}\p{N}_.+@~/-]+)/gu;
const ofSystem = /^\/(?:bin|dev|etc|lib\w*|proc|sbin|sys|usr(?!\/local\/))(?:\/|$)/;
