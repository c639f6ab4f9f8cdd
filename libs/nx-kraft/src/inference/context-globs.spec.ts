import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { globsInContext } from './context-globs.ts';
import { Disk } from './disk.ts';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'context-')));
  mkdirSync(join(folder, 'app/[data]/deep'), { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true }));

const link = (path: string, target: string): void => symlinkSync(target, join(folder, 'app', path));
const globs = (glob: string): readonly string[] => globsInContext(new Disk(folder), join(folder, 'app'), glob);

test('what is behind no link is named as it is', () => {
  for (const glob of ['a', 'a/b/**/*', '**/*', '[[]data]/deep', '*.txt', 'a*/b', ''])
    expect(globs(glob)).toEqual([glob]);
});

test('links are followed within the context, absolute ones and such as lead out of it, too, and count themselves', () => {
  link('near', '[data]/deep');
  link('absolute', '/[data]/x');
  link('out', '../../[data]/x');
  link('[data]/back', '../near');
  link('chain', './[data]/back/y');
  expect(globs('near/**/*')).toEqual(['near/', '[[]data]/deep/**/*']);
  expect(globs('absolute')).toEqual(['absolute/', '[[]data]/x']);
  expect(globs('out/z')).toEqual(['out/', '[[]data]/x/z']);
  expect(globs('chain/*.txt')).toEqual(['chain/', '[[]data]/back/', 'near/', '[[]data]/deep/y/*.txt']);
});

test('patterns name links, too', () => {
  link('a1', '/[data]');
  link('a2', 'none');
  link('b', 'none');
  expect(globs('a*/x')).toEqual(['a*/x', '[[]data]/x', 'none/x']);
  expect(globs('a?/**/*')).toEqual(['a?/**/*', '[[]data]/**/*', 'none/**/*']);
});

test('links below folders that patterns name are followed', () => {
  mkdirSync(join(folder, 'app/a1/sub'), { recursive: true });
  link('a1/link', '../[data]');
  link('a1/sub/current', '/[data]/deep');
  link('a1/other', 'sub');
  expect(globs('a*/link/x')).toEqual(['a*/link/x', 'a1/link/', '[[]data]/x']);
  expect(globs('a*/l*')).toEqual(['a*/l*', '[[]data]']);
  const behind = ['[[]data]/current/**/*', 'a1/sub/current/', '[[]data]/deep/**/*'];
  expect(globs('*/*/current/**/*')).toEqual(['*/*/current/**/*', ...behind]);
  expect(globs('a*/sub/**/*')).toEqual(['a*/sub/**/*']);
});

test('links in a circle lead nowhere', () => {
  link('one', 'two');
  link('two', 'one');
  expect(globs('one/x')).toEqual(['one/', 'two/']);
});
