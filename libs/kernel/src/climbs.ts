import { posix } from 'node:path';

/** Files that say how to compile, not what: make does not compile anything again when one of them changes. */
export const isBuildFile = (path: string): boolean => /(^|\/)(Makefile[^/]*|Config[^/]*|[^/]*\.(uk|mk))$/.test(path);

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
  for (const [word, base] of text.matchAll(/(?<=(\w*BASE[)}])?)[\w.+@~/-]+/g)) {
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
