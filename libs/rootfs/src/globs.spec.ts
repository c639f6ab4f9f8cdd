import { expect, test } from 'vitest';
import { globExpression, globOf, globTest, splitGlob } from './globs.ts';

test('the test of a glob says what its expression does', () => {
  const globs = ['a', 'a/b.c', 'a/**/*', 'a.b/**/*', '**/*', '*', 'a/*', '**/*.md', 'a/[bc]/**/*', 'a?/**/*', 'a/**'];
  const paths = ['a', 'a/', 'a/b', 'a/b.c', 'a/bxc', 'a/b/c', 'a.b/c', 'axb/c', 'ab/c', 'b', 'b/x.md', 'x.md', 'a/c/d'];
  for (const glob of globs) {
    const matched = (matches: (path: string) => boolean): readonly string[] => paths.filter(matches);
    expect(matched(globTest(glob)), glob).toEqual(matched((path) => globExpression(glob).test(path)));
  }
});

test('the glob of a path matches it alone, and its path can be told again', () => {
  for (const path of ['a', 'a/[b]/{c,d}', 'a*(b)?', '!a', 'a]b', '+(a|b)', '(group)/page.ts', 'a\\b']) {
    const glob = globOf(path);
    expect(globTest(glob)(path), glob).toBe(true);
    expect(globTest(`${glob}/**/*`)(`${path}/x`), glob).toBe(true);
    expect(globTest(glob)(path.replace(/[a-d]/, 'x')), glob).toBe(false);
    expect(splitGlob(`${glob}/**/*`)).toEqual({ path, rest: '**/*' });
    expect(splitGlob(glob)).toEqual({ path, rest: '' });
  }
  expect(globTest('a[b')('a[b')).toBe(true);
  expect(splitGlob('a/*.b/c')).toEqual({ path: 'a', rest: '*.b/c' });
  expect(splitGlob('a/[b]c/d')).toEqual({ path: 'a', rest: '[b]c/d' });
  expect(splitGlob('**/*')).toEqual({ path: '', rest: '**/*' });
});
