import { chmodSync, mkdirSync, symlinkSync, unlinkSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Workspace } from '../test/workspace.ts';
import { FileDetails } from './index.ts';

let workspace: Workspace;
beforeEach(() => {
  workspace = new Workspace();
  workspace.put('app/root/etc/motd', 'hello');
  workspace.put('app/root/bin/sh', '#!');
});
afterEach(() => workspace.remove());

const digest = (files: readonly string[] = ['app/root/**/*'], excluded: readonly string[] = []) =>
  new FileDetails(workspace.folder).digest(files, excluded);

test('files and folders as every checkout has them say nothing', () => {
  expect(digest()).toBe('');
  expect(digest(['nothing', 'nothing/**/*'])).toBe('');
});

test('an executable, a setuid bit, an empty folder, a link and its target each count', () => {
  const seen = [digest()];
  const change = (edit: () => void): void => {
    edit();
    const now = digest();
    expect(seen).not.toContain(now);
    seen.push(now);
  };
  change(() => chmodSync(workspace.path('app/root/bin/sh'), 0o755));
  change(() => chmodSync(workspace.path('app/root/bin/sh'), 0o4755));
  change(() => mkdirSync(workspace.path('app/root/tmp')));
  change(() => chmodSync(workspace.path('app/root/tmp'), 0o1777));
  change(() => symlinkSync('motd', workspace.path('app/root/etc/issue')));
  change(() => {
    unlinkSync(workspace.path('app/root/etc/issue'));
    symlinkSync('/nowhere', workspace.path('app/root/etc/issue'));
  });
});

test('what a umask makes, what is left out, and what lies elsewhere do not count', () => {
  chmodSync(workspace.path('app/root/etc/motd'), 0o600);
  chmodSync(workspace.path('app/root/etc'), 0o700);
  workspace.put('app/tool', '#!');
  chmodSync(workspace.path('app/tool'), 0o755);
  expect(digest()).toBe('');
  expect(digest(['app/**/*', 'app/*.c'], ['app/tool'])).toBe('');
  expect(digest(['app/tool', 'app/tool/**/*'])).not.toBe('');
});
