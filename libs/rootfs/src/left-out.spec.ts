import { expect, test } from 'vitest';
import { globTest } from './globs.ts';
import { leftOutOfAll } from './left-out.ts';

const leftOut = (excluded: readonly string[], ...files: readonly string[]): readonly string[] =>
  leftOutOfAll([
    { files: ['app/**/*'], excluded },
    { files, excluded: [] },
  ]);

test('what patterns elsewhere read hides nothing', () => {
  const notes = ['app/src/*.md', 'app/src/*.md/**/*'];
  expect(leftOut(notes, 'app/d*/y', 'app/e*/**/*', 'app/[{]s/*', 'app/*/y')).toEqual(notes);
  expect(leftOut(['app/src*/*.md'], 'app/lib*/*')).toEqual(['app/src*/*.md']);
  for (const other of ['app/s*/y.md', 'app/src/y*', 'app/**/y', 'app/s*', 'app/sr*/**/*', 'app/[r-t]rc/**/*']) {
    expect(leftOut(['app/src/*.md'], other), other).toEqual([]);
  }
});

test('what one reading leaves out is left out of all where nobody else reads it', () => {
  expect(leftOutOfAll([{ files: ['**/*'], excluded: ['a', 'b/**/*'] }])).toEqual(['a', 'b/**/*']);
  const both = { files: ['app/**/*'], excluded: ['app/x', 'app/**/*.log'] };
  expect(leftOutOfAll([both, { ...both, files: ['app/y'] }])).toEqual(both.excluded);
  const globs = ['app/node_modules', 'app/node_modules/**/*', 'app/*.log', 'app/**/*.md'];
  expect(leftOut(globs, 'app/Dockerfile', 'other/**/*')).toEqual(globs);
});

test('files that somebody reads are not left out, and little else with them', () => {
  const own = ['app/Dockerfile', 'app/.dockerignore'] as const;
  expect(leftOut(['app/Dockerfile', 'app/Dockerfile/**/*'], ...own)).toEqual([]);
  expect(leftOut(['app/Docker*', 'app/.*'], ...own)).toEqual([]);
  expect(leftOut(['app/**/.*', 'app/**/.*/**/*'], ...own)).toEqual(['app/*/**/.*', 'app/**/.*/**/*']);
  expect(leftOut(['app/**/Dockerfile*'], 'app/a/Dockerfile', ...own)).toEqual(['app/[^a]*/**/Dockerfile*']);
  expect(leftOut(['app/*', 'app/**/*'], ...own)).toEqual([
    'app/!(Dockerfile|.dockerignore)',
    'app/**/!(Dockerfile|.dockerignore)',
  ]);
  expect(leftOut(['**/*.txt'], 'a.txt', 'b/c.txt')).toEqual(['[^b]*/**/*.txt']);
});

test('nor are folders', () => {
  expect(leftOut(['app/rom', 'app/rom/**/*', 'app/ro?/x', 'app/r/**/*'], 'app/rom/**/*')).toEqual(['app/r/**/*']);
  expect(leftOut(['app/**/*.log', 'app/**/*.log/**/*'], 'app/rom/**/*')).toEqual([
    'app/[^r]*/**/*.log',
    'app/*.log',
    'app/[^r]*/**/*.log/**/*',
    'app/*.log/**/*',
  ]);
  expect(leftOut(['app/**/*'], 'app/rom/**/*')).toEqual(['app/[^r]*/**/*']);
  expect(leftOut(['app/**/*.log', 'app/sub/**/*.log'], '**/*')).toEqual([]);
  expect(leftOut(['app/**/x'], 'app/[[]id]/**/*')).toEqual(['app/x']);
});

test('a name but some is what globs mean by it', () => {
  const matches = globTest('app/**/!(rom|x.md)');
  const paths = ['app/a', 'app/rom/x', 'app/a/romx', 'app/a/xxmd', 'app/rom', 'app/a/b/x.md', 'b/a'];
  expect(paths.filter(matches)).toEqual(paths.slice(0, 4));
});
