import { readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { hasErrorCode, regularFile } from '@nx-kraft/base';
import { type IgnoreRules, readIgnoreFile } from './patterns.ts';

/**
 * The build context: as given, else the base directory where the Dockerfile lies in it, else the Dockerfile's own
 * directory. All but `given` are absolute; `given` may be relative to the base directory.
 */
export function contextOf(dockerfile: string, baseDirectory: string, given: string | undefined): string {
  if (given !== undefined) return resolve(baseDirectory, given);
  return relative(baseDirectory, dockerfile).startsWith('..') ? dirname(dockerfile) : baseDirectory;
}

/**
 * The ignore file that holds for a Dockerfile: `<its name>.dockerignore` beside it, else `.dockerignore` in the context.
 *
 * @param read  gives a file's text, or undefined when there is none (default: from the disk)
 */
export function findIgnoreRules(
  context: string,
  dockerfile: string,
  read: (path: string) => string | undefined = readIfPresent,
): IgnoreRules {
  return readIgnoreFile(read(`${dockerfile}.dockerignore`) ?? read(resolve(context, '.dockerignore')) ?? '');
}

export function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(regularFile(path), 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
