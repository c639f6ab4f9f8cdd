import { type DirectoryNode, emptyDirectory } from '@nx-kraft/archive';
import { expect, test } from 'vitest';
import { selectPaths } from './follow-paths.ts';

function tree(...paths: readonly string[]): DirectoryNode {
  const root = emptyDirectory();
  for (const path of paths) {
    let directory = root;
    for (const name of path.split('/')) {
      const next = directory.children.get(name);
      const made = next?.kind === 'directory' ? next : emptyDirectory();
      directory.children.set(name, made);
      directory = made;
    }
  }
  return root;
}

test('** goes across folders, as --parents needs it', () => {
  const paths = ['a/x', 'a/b/c/x', 'z/q/x/below', 'z/y'];
  const selects = selectPaths(tree(...paths), ['**/x', 'z/**/y']);
  expect(paths.filter(selects)).toEqual(paths);
  expect(['a', 'a/b', 'z/q', 'a/b/c/d', 'z/q/y'].filter(selects)).toEqual(['a', 'a/b', 'z/q']);
});
