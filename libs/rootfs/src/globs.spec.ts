import { expect, test } from 'vitest';
import { globExpression, globTest } from './globs.ts';

test('the test of a glob says what its expression does', () => {
  const globs = ['a', 'a/b.c', 'a/**/*', 'a.b/**/*', '**/*', '*', 'a/*', '**/*.md', 'a/[bc]/**/*', 'a?/**/*', 'a/**'];
  const paths = ['a', 'a/', 'a/b', 'a/b.c', 'a/bxc', 'a/b/c', 'a.b/c', 'axb/c', 'ab/c', 'b', 'b/x.md', 'x.md', 'a/c/d'];
  for (const glob of globs) {
    const matched = (matches: (path: string) => boolean): readonly string[] => paths.filter(matches);
    expect(matched(globTest(glob)), glob).toEqual(matched((path) => globExpression(glob).test(path)));
  }
});
