import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { tarEnd, tarHeader, tarPadding } from '@nx-kraft/archive';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Workspace } from '../test/workspace.ts';

let workspace: Workspace;
let folder: string;
beforeEach(() => {
  workspace = new Workspace();
  folder = workspace.folder;
});
afterEach(() => workspace.remove());

const put = (...args: Parameters<Workspace['put']>) => workspace.put(...args);
const build = (...args: Parameters<Workspace['build']>) => workspace.build(...args);
const list = (name?: string): string[] => workspace.list(name).map((entry) => entry.split('=')[0] ?? '');

function tar(...items: (readonly [name: string, content: string, mode?: number])[]): Buffer {
  const parts = items.flatMap(([name, content, mode = 0o644]) => [
    tarHeader({ name, type: name.endsWith('/') ? 'directory' : 'file', mode, size: content.length }),
    Buffer.from(content),
    Buffer.alloc(tarPadding(content.length)),
  ]);
  return Buffer.concat([...parts, tarEnd]);
}

describe('a directory', () => {
  test('becomes a CPIO archive without what the build itself puts there', async () => {
    put('app/server', 'binary', 0o755);
    put('app/etc/app.conf');
    put('app/.unikraft/build/kernel');
    put('app/etc/.unikraft/kept');
    symlinkSync('../etc', join(folder, 'app/link'));
    mkdirSync(join(folder, 'app/empty'));
    const { kind, entries, warnings, largest } = await build('app', {}, 'app/out/rootfs.cpio');
    expect(list('app/out/rootfs.cpio')).toEqual([
      '755 0 empty',
      '755 0 etc',
      '755 0 etc/.unikraft',
      '644 0 etc/.unikraft/kept',
      '644 0 etc/app.conf',
      '777 0 link',
      '755 0 out',
      '755 0 server',
    ]);
    expect({ kind, entries, warnings }).toEqual({ kind: 'directory', entries: 8, warnings: [] });
    expect(largest[0]).toEqual({ name: 'etc/.unikraft/kept', size: 22 });
  });

  test('gives the same bytes a second time, with its own output inside', async () => {
    put('app/server');
    const first = await build('app', {}, 'app/rootfs.cpio');
    const second = await build('app', {}, 'app/rootfs.cpio');
    expect(second.digest).toBe(first.digest);
  });

  test('gives the same bytes whatever the umask, the time and the place', async () => {
    for (const [name, fileMode, directoryMode] of [
      ['one', 0o644, 0o755],
      ['two', 0o600, 0o700],
      ['three', 0o664, 0o775],
    ] as const) {
      put(`${name}/etc/conf`, 'x', fileMode);
      put(`${name}/bin/run`, 'x', fileMode | 0o100 | ((fileMode & 0o044) >> 2));
      for (const directory of [`${name}/etc`, `${name}/bin`]) chmodSync(join(folder, directory), directoryMode);
      utimesSync(join(folder, name, 'etc/conf'), fileMode, fileMode);
    }
    const [one, two, three] = [await build('one'), await build('two'), await build('three')];
    expect([two.digest, three.digest]).toEqual([one.digest, one.digest]);
  });

  test('keeps modes that no umask makes, and all of them when asked', async () => {
    const modes = [0o4755, 0o2755, 0o444, 0o555, 0o400, 0o600];
    for (const mode of modes) put(`app/${mode.toString(8)}`, '', mode);
    mkdirSync(join(folder, 'app/tmp'));
    chmodSync(join(folder, 'app/tmp'), 0o1777);
    await build('app');
    expect(list()).toEqual([
      '2755 0 2755',
      '400 0 400',
      '444 0 444',
      '4755 0 4755',
      '555 0 555',
      '644 0 600',
      '1777 0 tmp',
    ]);
    await build('app', { modes: 'keep' });
    expect(list()).toContain('600 0 600');
  });

  test('takes its time from the option only', async () => {
    put('app/f');
    const { digest } = await build('app');
    const stamped = await build('app', { time: 1_700_000_000 });
    expect(stamped.digest).not.toBe(digest);
    expect(readFileSync(stamped.path, 'latin1')).toContain((1_700_000_000).toString(16).toUpperCase());
  });

  test('with names that are no UTF-8, and hard links', async () => {
    mkdirSync(join(folder, 'app'));
    writeFileSync(Buffer.concat([Buffer.from(join(folder, 'app/')), Buffer.from([0xff, 0xfe])]), 'odd');
    put('app/first', 'shared');
    linkSync(join(folder, 'app/first'), join(folder, 'app/second'));
    await build('app');
    expect(list()).toEqual(['644 0 first', '644 0 second', '644 0 \u00ff\u00fe']);
    expect(readFileSync(join(folder, 'out/rootfs.cpio'), 'latin1').match(/shared/g)).toHaveLength(2);
    await build('app', { hardLinks: 'link' });
    expect(readFileSync(join(folder, 'out/rootfs.cpio'), 'latin1').match(/shared/g)).toHaveLength(1);
  });
});

test('a file of 4 GiB is refused, with what to do, before anything is read', async () => {
  put('app/huge', '');
  truncateSync(join(folder, 'app/huge'), 2 ** 32);
  await expect(build('app')).rejects.toMatchObject({ code: 'FILE_TOO_LARGE', at: 'huge' });
  expect(readdirSync(join(folder, 'out'))).toEqual([]);
});

describe('a tar archive', () => {
  test.each([
    ['as it is', (bytes: Buffer) => bytes],
    ['compressed with gzip', (bytes: Buffer) => gzipSync(bytes)],
    ['compressed with zstd', (bytes: Buffer) => zstdCompressSync(bytes)],
  ])('%s gives the bytes of the directory', async (_, change) => {
    put('app/bin/run', 'run', 0o755);
    put('app/etc/conf', 'conf');
    const archive = tar(
      ['./', ''],
      ['./etc/', '', 0o755],
      ['./bin/', '', 0o755],
      ['./etc/conf', 'conf'],
      ['bin/run', 'run', 0o755],
    );
    writeFileSync(join(folder, 'root.tar'), change(archive));
    const expected = await build('app');
    const { digest, kind } = await build('root.tar');
    expect({ digest, kind }).toEqual({ digest: expected.digest, kind: 'tar' });
  });

  test.each([
    ['leading out of the root', () => tar(['../x', '']), 'NAME_UNSAFE'],
    ['cut off', () => tar(['x', 'content']).subarray(0, 1000), 'ARCHIVE_TRUNCATED'],
    ['compressed and cut off', () => gzipSync(tar(['x', 'content'])).subarray(0, 60), 'SOURCE_UNKNOWN'],
    ['compressed with xz and damaged', () => Buffer.from('fd377a585a000004', 'hex'), 'SOURCE_UNKNOWN'],
  ])('%s leaves the old output and nothing else', async (_, make, code) => {
    put('out/rootfs.cpio', 'old');
    writeFileSync(join(folder, 'bad.tar'), make());
    await expect(build('bad.tar')).rejects.toMatchObject({ code, at: join(folder, 'bad.tar') });
    expect(readFileSync(join(folder, 'out/rootfs.cpio'), 'utf8')).toBe('old');
    expect(readdirSync(join(folder, 'out'))).toEqual(['rootfs.cpio']);
  });
});

test('a CPIO archive is passed through untouched', async () => {
  put('app/f');
  const { path, digest } = await build('app');
  const passed = await build(path, {}, 'second.cpio');
  expect(passed).toMatchObject({ kind: 'cpio', digest, entries: 1 });
  await expect(build(path, { format: 'erofs' }, 'third')).rejects.toMatchObject({ code: 'SOURCE_MISMATCH' });
});

describe('what a source is', () => {
  test.each([
    ['missing/', {}, 'SOURCE_MISSING'],
    ['./Dockerfile', {}, 'SOURCE_MISSING'],
    ['rootfs.cpio', {}, 'SOURCE_MISSING'],
    ['program', {}, 'SOURCE_UNKNOWN'],
    ['empty', {}, 'SOURCE_UNKNOWN'],
    ['folder', { type: 'cpio' as const }, 'SOURCE_MISMATCH'],
    ['program', { type: 'tarball' as const }, 'SOURCE_UNKNOWN'],
  ])('%s is explained when it is none', async (source, request, code) => {
    put('program', '\x7fELF\x02\x01');
    put('empty', '');
    mkdirSync(join(folder, 'folder'));
    await expect(build(source, request)).rejects.toMatchObject({ code, hint: expect.any(String) as string });
    expect(existsSync(join(folder, 'out/rootfs.cpio'))).toBe(false);
  });
});
