import { expect, test } from 'vitest';
import { globExpression, globOf, globsOf, globsTest, globTest, splitGlob } from './globs.ts';

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

test('names that are not meant may have signs and something behind them, as Nx takes them', () => {
  const paths = ['a.ts', 'a.spec.ts', 'b/a.sh', 'b/a.e2e.sh', 'a.js', '.spec.ts', 'specs.ts'];
  const isMeant = globsTest(globsOf('**/!(*.spec|*.e2e).{ts,sh}'));
  expect(paths.filter(isMeant)).toEqual(['a.ts', 'b/a.sh', 'specs.ts']);
  expect(['one', 'two', 'tw', 'a/one'].filter(globTest('!(one|t?o)'))).toEqual(['tw']);
  expect(['a/one/x', 'a/two/x'].filter(globTest('a/!(one)/**/*'))).toEqual(['a/two/x']);
  expect(splitGlob('a/!(one)/b')).toEqual({ path: 'a', rest: '!(one)/b' });
});

test('braces stand for each of what they list, and for nothing in brackets', () => {
  expect(globsOf('{a,b/c}/*.{c,h}')).toEqual(['a/*.c', 'a/*.h', 'b/c/*.c', 'b/c/*.h']);
  expect(globsOf('{a,{b,c}}')).toEqual(expect.arrayContaining(['a', 'b', 'c']));
  for (const glob of ['a', 'a{b', globOf('a/{b,c}/[d]'), 'a/[{]*']) expect(globsOf(glob)).toEqual([glob]);
});
