import { chmodSync, mkdirSync, statSync, symlinkSync, unlinkSync, utimesSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Workspace } from '../test/workspace.ts';
import { readEntries } from './touched.ts';

let workspace: Workspace;
let began: number;
beforeEach(async () => {
  workspace = new Workspace();
  for (const path of ['root/etc/motd', 'root/bin/sh', 'root/.unikraft/x', 'other/x', 'Dockerfile']) workspace.put(path);
  mkdirSync(workspace.path('root/empty'));
  // Clocks of file systems are behind by a few milliseconds.
  await sleep(20);
  began = Date.now();
  await sleep(20);
});
afterEach(() => workspace.remove());

const touched = (
  files = ['root/**/*'],
  excluded = ['root/.unikraft', 'root/.unikraft/**/*'],
  apart = '',
): string | undefined => {
  for (const { path, stats } of readEntries(workspace.folder, { files, excluded }, (one) => one === apart)) {
    if (stats.ctimeMs > began) return path;
  }
  return undefined;
};

test('what nobody touched is found to be so', async () => {
  for (const path of ['root/etc', 'root/etc/motd']) utimesSync(workspace.path(path), 1, Date.now() / 1000 + 1e6);
  await sleep(20);
  began = Date.now();
  await sleep(20);
  expect(touched()).toBeUndefined();
  workspace.put('other/x', 'other');
  workspace.put('root/.unikraft/x', 'other');
  workspace.put('root/made', 'other');
  expect(touched(undefined, undefined, 'root/made')).toBeUndefined();
  expect(touched(['root/etc/', 'nothing', 'nothing/**/*'])).toBeUndefined();
});

test('files that were written, replaced, or given another mode are found, whatever their times are', () => {
  workspace.put('root/etc/motd', 'other');
  expect(touched()).toBe('root/etc/motd');
  expect(touched(['root/bin', 'root/bin/**/*'])).toBeUndefined();
  expect(touched(['*/etc/mot?', 'root/etc/mot?/**/*'])).toBe('root/etc/motd');
  expect(touched(['root/etc/motd'])).toBe('root/etc/motd');
  utimesSync(workspace.path('root/etc/motd'), 1, 1);
  expect(touched()).toBe('root/etc/motd');
});

test('so are new modes, links, files and directories, and that some are gone', () => {
  chmodSync(workspace.path('root/bin/sh'), 0o755);
  expect(touched()).toBe('root/bin/sh');
  unlinkSync(workspace.path('root/etc/motd'));
  expect(touched(['root/etc/**/*', 'root/e*'])).toBe('root/etc');
  symlinkSync('x', workspace.path('root/empty/link'));
  expect(touched(['root/empty/link'])).toBe('root/empty/link');
  expect(touched(['root/empty/**/*'])).toBe('root/empty');
});

test('a directory that holds a result is no sign by itself', () => {
  workspace.put('root/.unikraft/y');
  mkdirSync(workspace.path('root/new'));
  expect(statSync(workspace.path('root')).ctimeMs).toBeGreaterThan(began);
  expect(touched(['root/etc/**/*', 'root/bin/**/*', 'root'])).toBeUndefined();
});
