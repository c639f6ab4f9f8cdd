import { mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync } from 'node:fs';
import { run } from '@nx-kraft/base';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Workspace } from '../test/workspace.ts';

let workspace: Workspace;
beforeEach(() => {
  workspace = new Workspace();
});
afterEach(() => workspace.remove());

function putTree(name: string): void {
  // Another order and other times each, since neither may matter.
  const files = ['bin/run', 'etc/conf', 'a', 'z', 'many/1', 'many/2', 'many/3'];
  for (const file of name === 'one' ? files : files.reverse()) {
    const path = workspace.put(`${name}/${file}`, file.repeat(2000), file === 'bin/run' ? 0o755 : 0o644);
    utimesSync(path, name.length * 1000, name.length * 1000);
  }
  symlinkSync('etc/conf', workspace.path(`${name}/link`));
  mkdirSync(workspace.path(`${name}/empty`));
}

test('one tree gives the same EROFS image from a directory, a tar archive and a Dockerfile', async () => {
  putTree('one');
  putTree('other');
  await run('tar', ['-C', workspace.path('other'), '-cf', workspace.path('other.tar'), '.']);
  workspace.put('Dockerfile', 'FROM scratch\nCOPY other /\n');
  const first = await workspace.build('one', { format: 'erofs' }, 'out/one.erofs');
  for (const source of ['other', 'other.tar', 'Dockerfile']) {
    const built = await workspace.build(source, { format: 'erofs', builder: 'embedded' }, 'out/other.erofs');
    expect(built).toMatchObject({ digest: first.digest, format: 'erofs', entries: 12 });
  }
  expect(readdirSync(workspace.path('out'))).toEqual(['one.erofs', 'other.erofs']);
  expect(first.size % 4096).toBe(0);
});

test('an EROFS image holds what went in', async () => {
  putTree('one');
  workspace.put('one/special', 'x', 0o711);
  const { path } = await workspace.build('one', { format: 'erofs', time: 1000 }, 'one.erofs');
  await run('fsck.erofs', [`--extract=${workspace.path('extracted')}`, path]);
  expect(await run('diff', ['-r', workspace.path('one'), workspace.path('extracted')])).toBe('');
  expect(await run('find', [workspace.path('extracted/special'), '-printf', '%m %U %T@'])).toMatch(/^711 0 1000\./);
});

test('a given EROFS image is passed through, one that was cut off is refused', async () => {
  putTree('one');
  const { path, digest, entries } = await workspace.build('one', { format: 'erofs' }, 'one.erofs');
  await expect(workspace.build(path, {}, 'copy.erofs')).resolves.toMatchObject({
    kind: 'erofs',
    format: 'erofs',
    digest,
    entries,
  });
  workspace.put('short.erofs', readFileSync(path).subarray(0, 5000));
  await expect(workspace.build('short.erofs', {}, 'copy2.erofs')).rejects.toMatchObject({ code: 'SOURCE_UNKNOWN' });
  await expect(workspace.build(path, { format: 'cpio' }, 'x.cpio')).rejects.toMatchObject({ code: 'SOURCE_MISMATCH' });
});
