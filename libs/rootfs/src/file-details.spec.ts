import {
  chmodSync,
  linkSync,
  mkdirSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Workspace } from '../test/workspace.ts';
import { ContentDigests } from './content-digests.ts';
import { FileDetails } from './file-details.ts';

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

test('what leads nowhere says nothing, and hides nothing else', () => {
  symlinkSync('loop', workspace.path('app/loop'));
  chmodSync(workspace.path('app/root/bin/sh'), 0o755);
  const nowhere = [`app/${'x'.repeat(300)}`, 'app/loop/x', 'app/root/etc/motd/x', 'app/a\0b'];
  expect(digest([...nowhere, 'app/root/**/*'])).toBe(digest());
});

test('an executable, a setuid bit, an empty folder, a link and its target each count', () => {
  const change = follow();
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

/** Tries that the digest is another one after each change. */
function follow(files?: readonly string[]): (edit: () => void) => void {
  const seen = [digest(files)];
  return (edit) => {
    edit();
    const now = digest(files);
    expect(seen).not.toContain(now);
    seen.push(now);
  };
}

test('which files are one counts where links to it stay links', () => {
  workspace.put('app/root/etc/issue', 'hello');
  const links = (): string => new FileDetails(workspace.folder).digest(['app/root/**/*'], [], true);
  expect(links()).toBe('');
  linkSync(workspace.path('app/root/bin/sh'), workspace.path('elsewhere'));
  expect(links()).toBe('');
  unlinkSync(workspace.path('app/root/etc/issue'));
  linkSync(workspace.path('app/root/etc/motd'), workspace.path('app/root/etc/issue'));
  expect(links()).not.toBe('');
  expect(digest()).toBe('');
});

test('of a folder that is named alone only the mode counts', () => {
  const files = ['app/root/', 'app/root/etc/', 'app/root/etc/motd', 'app/root/etc/motd/**/*'];
  const change = follow(files);
  change(() => chmodSync(workspace.path('app/root'), 0o1777));
  change(() => chmodSync(workspace.path('app/root/etc'), 0o1777));
  const before = digest(files);
  chmodSync(workspace.path('app/root/bin/sh'), 0o755);
  chmodSync(workspace.path('app/root/bin'), 0o1777);
  expect(digest(files)).toBe(before);
});

test('folders that are named alone may be named by patterns', () => {
  const files = ['app/', 'app/*/', 'app/**/motd', 'app/**/motd/**/*'];
  const change = follow(files);
  change(() => chmodSync(workspace.path('app'), 0o1777));
  change(() => chmodSync(workspace.path('app/root'), 0o1777));
  const before = digest(files);
  chmodSync(workspace.path('app/root/etc'), 0o1777);
  expect(digest(files)).toBe(before);
  expect(digest([...files, 'app/**/'])).not.toBe(before);
  expect(digest([...files, 'app/**/'], ['app/root', 'app/root/**/*'])).toBe(digest(['app/']));
});

test('contents count in folders that Nx passes over where a glob does not begin with them', () => {
  const change = follow();
  change(() => workspace.put('app/root/node_modules/m/index.js', '1'));
  change(() => workspace.put('app/root/node_modules/m/index.js', '2'));
  change(() => workspace.put('app/root/srv/.yarn/cache/m.zip', '1'));
  change(() => workspace.put('app/root/.git', 'gitdir: elsewhere'));
  workspace.put('app/root/node_modules/m/README.md', '1');
  workspace.put('node_modules/m/index.js', '1');
  expect(digest(['app/root/node_modules/m/**/*'])).toBe('');
  expect(digest(['**/*'], ['app', 'app/**/*'])).toBe('');
  const excluded = ['app/root/**/*.md'];
  const before = digest(undefined, excluded);
  workspace.put('app/root/node_modules/m/README.md', '2');
  expect(digest(undefined, excluded)).toBe(before);
});

test('a link that is named alone counts, whatever else is named beside it', () => {
  for (const others of [[], ['app/root/b*', 'app/root/b*/**/*']]) {
    const change = follow([...others, 'app/root/link/']);
    change(() => symlinkSync('bin', workspace.path('app/root/link')));
    change(() => {
      unlinkSync(workspace.path('app/root/link'));
      symlinkSync('etc', workspace.path('app/root/link'));
    });
    unlinkSync(workspace.path('app/root/link'));
  }
});

test('links that patterns name are not followed on the disk, where builders take them for paths in the context', () => {
  const change = follow(['app/*', 'app/*/**/*']);
  change(() => symlinkSync('/', workspace.path('app/up')));
  workspace.put('elsewhere/file', '1');
  change(() => symlinkSync('../elsewhere', workspace.path('app/out')));
  const before = digest(['app/*', 'app/*/**/*']);
  workspace.put('elsewhere/file', '2');
  expect(digest(['app/*', 'app/*/**/*'])).toBe(before);
});

test('contents count where a name has a backslash, which Nx takes for a slash', () => {
  const change = follow();
  change(() => workspace.put('app/root/lib/dev-a\\x2db.mount', '1'));
  change(() => workspace.put('app/root/lib/dev-a\\x2db.mount', '2'));
  change(() => workspace.put('app/root/odd\\/file', '1'));
  const named = follow(['app/root/lib/dev-a[\\]x2db.mount']);
  named(() => workspace.put('app/root/lib/dev-a\\x2db.mount', '3'));
});

test('all counts of what has a name that is no text', () => {
  const path = (name: string): Buffer => Buffer.from(`${workspace.path('app/root')}/${name}`, 'latin1');
  const change = follow();
  change(() => writeFileSync(path('caf\xe9'), '1'));
  change(() => writeFileSync(path('caf\xe9'), '2'));
  change(() => chmodSync(path('caf\xe9'), 0o755));
  change(() => renameSync(path('caf\xe9'), path('caf\xe8')));
  change(() => symlinkSync('x', path('\xe9')));
  change(() => mkdirSync(path('d\xe9')));
  change(() => writeFileSync(path('d\xe9/f'), '1'));
  change(() => writeFileSync(path('d\xe9/f'), '2'));
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

test('a file is read again only when it was touched, whatever its time and size say', () => {
  // What was written a moment ago, as a checkout may be, is never known.
  const old = '/bin/sh';
  const first = new ContentDigests();
  const digest = first.of(old);
  const marked = new Map([...first.known].map(([file, [identity]]) => [file, [identity, 'known'] as const]));
  expect(new ContentDigests(marked).of(old)).toBe('known');
  marked.set(old, ['another', 'known']);
  expect(new ContentDigests(marked).of(old)).toBe(digest);

  const young = workspace.path('app/root/etc/motd');
  writeFileSync(young, '1');
  const { atime, mtime } = statSync(young);
  const before = new ContentDigests();
  const one = before.of(young);
  writeFileSync(young, '2');
  utimesSync(young, atime, mtime);
  expect(new ContentDigests(before.known).of(young)).not.toBe(one);
});
