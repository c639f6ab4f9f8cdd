import { type ByteName, type DirectoryNode, type LeftOut, toText } from '@nx-kraft/archive';
import { buildFolder } from '../build-folder.ts';
import { readTree } from '../directory.ts';
import type { Modes } from '../modes.ts';
import type { IgnoreRules } from './patterns.ts';

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
    if (name === buildFolder || ours.has(name)) return true;
    return rules.ignores(toText(name)) && (rules.hasExceptions ? 'unless-filled' : true);
  };
  // COPY gives everything to root, whoever owns it here.
  return readTree(path, { owners: 'root', modes, exclude });
}
