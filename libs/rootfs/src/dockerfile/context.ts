import { readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { type ByteName, type DirectoryNode, type LeftOut, toText } from '@nx-kraft/archive';
import { hasErrorCode } from '@nx-kraft/base';
import { readTree } from '../directory.ts';
import type { Modes } from '../modes.ts';
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
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** KraftKit's and make's outputs: a context that held them would change with every build. */
const buildOutputs = '.unikraft/build';

/**
 * A context of the disk as a tree, without what is ignored and without what builds put there.
 *
 * @param ours  paths below it that this build writes
 */
export function readContext(
  path: string,
  rules: IgnoreRules,
  ours: ReadonlySet<ByteName>,
  modes: Modes,
): { root: DirectoryNode; leftOut: readonly LeftOut[] } {
  const exclude = (name: ByteName): boolean | 'unless-filled' => {
    if (name === buildOutputs || ours.has(name)) return true;
    return rules.ignores(toText(name)) && (rules.hasExceptions ? 'unless-filled' : true);
  };
  // COPY gives everything to root, whoever owns it here.
  return readTree(path, { owners: 'root', modes, exclude });
}
