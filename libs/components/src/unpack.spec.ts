import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeArchive, makeTar } from '../test/server.ts';
import { hashTree, removeTree } from './tree.ts';
import { unpackArchive } from './unpack.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unpack-'));
});
afterEach(() => removeTree(folder));

async function unpack(archive: Buffer, name = 'tree'): Promise<string> {
  const tree = join(folder, name);
  await mkdir(tree);
  await writeFile(`${tree}.tar.gz`, archive);
  await unpackArchive(`${tree}.tar.gz`, tree, 'the-archive');
  return tree;
}

const top = { name: 'lib-1.0/', type: 'directory' } as const;
const file = (name: string, content: string, mode = 0o644) => ({ name: `lib-1.0/${name}`, content, mode });
const link = (name: string, linkname: string) =>
  ({ name: `lib-1.0/${name}`, type: 'symlink', linkname, size: 0 }) as const;

test('the first component is taken away; files, modes and links within are kept', async () => {
  const entries = [top, link('early', 'src/a.c'), file('src/a.c', 'int a;'), file('run', '#!', 0o4777)];
  const hard = { name: 'lib-1.0/hard', type: 'link', linkname: 'lib-1.0/src/a.c', size: 0 } as const;
  for (const [name, archive] of [
    ['gzipped', await makeArchive([...entries, hard])],
    ['plain', await makeTar([...entries, hard])],
  ] as const) {
    const tree = await unpack(archive, name);
    expect((await readdir(tree)).toSorted()).toEqual(['early', 'hard', 'run', 'src']);
    expect(await readFile(join(tree, 'early'), 'utf8')).toBe('int a;');
    expect(await readlink(join(tree, 'early'))).toBe('src/a.c');
    expect((await lstat(join(tree, 'hard'))).nlink).toBe(1);
    expect((await lstat(join(tree, 'run'))).mode & 0o7777).toBe(0o755 & ~process.umask());
  }
  expect(await hashTree(join(folder, 'plain'))).toBe(await hashTree(join(folder, 'gzipped')));
});

test.each([
  ['a path with ..', [file('../../evil', 'x')]],
  ['an absolute path', [{ name: '/etc/evil', content: 'x' }]],
  ['a backslash', [file('..\\evil', 'x')]],
  ['a link to an absolute path', [link('evil', '/etc')]],
  ['a link that leads out', [link('a/evil', '../../etc')]],
  ['a link that leads out through another link', [file('p/f', 'x'), link('p/q', '..'), link('r', 'p/q/..')]],
  ['a file through a link', [link('dir', 'other'), file('other/x', 'x'), file('dir/x', 'x')]],
  ['a hard link to a file of the machine', [{ ...link('evil', '/etc/passwd'), type: 'link' as const }]],
  ['a hard link to a symbolic link', [link('l', 'x'), { ...link('evil', 'lib-1.0/l'), type: 'link' as const }]],
  ['a device', [{ name: 'lib-1.0/null', type: 'character-device' as const, size: 0 }]],
  ['a name twice', [file('x', '1'), file('x', '2')]],
  ['a file as a folder', [file('x', '1'), file('x/y', '2')]],
  ['files without a folder around them', [{ name: 'Makefile', content: 'x' }]],
])('refused: %s', async (_, entries) => {
  await expect(unpack(await makeArchive([top, ...entries]))).rejects.toMatchObject({
    code: 'COMPONENT_BAD_ARCHIVE',
    at: 'the-archive',
  });
  expect((await readdir(folder)).toSorted()).toEqual(['tree', 'tree.tar.gz']);
});

test('damaged archives and other kinds are refused', async () => {
  const whole = await makeArchive([top, file('a', 'a'.repeat(5000)), file('b', String(Math.random()))]);
  const broken = Buffer.from(whole);
  broken.fill(7, 40, 60);
  const others = {
    xz: Buffer.from('fd377a585a0000', 'hex'),
    zip: Buffer.from('PK\x03\x04rest'),
    text: Buffer.from('x'.repeat(2000)),
  };
  for (const [name, data] of Object.entries({ cut: whole.subarray(0, -20), broken, ...others })) {
    await expect(unpack(data, name), name).rejects.toMatchObject({ code: 'COMPONENT_BAD_ARCHIVE' });
  }
});
