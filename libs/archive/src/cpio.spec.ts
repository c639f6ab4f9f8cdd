import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytesOf, flatten, trees } from '../test/trees.ts';
import {
  compareNames,
  copyCpio,
  type CpioEntry,
  CpioParser,
  createFile,
  type DirectoryNode,
  emptyDirectory,
  TarToCpio,
  type TarHeaderFields,
  tarEnd,
  tarHeader,
  tarPadding,
  type WriteOptions,
  writeTree,
} from './index.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'archive-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Read extends CpioEntry {
  content: Buffer;
}

function read(path: string, chunkSize = 1 << 20): Read[] {
  const entries: Read[] = [];
  const parser = new CpioParser(
    {
      entry: (entry) => entries.push({ ...entry, name: entry.name.replace('./', ''), content: Buffer.alloc(0) }),
      data: (chunk, start, end) => {
        const last = entries.at(-1);
        if (last !== undefined) last.content = Buffer.concat([last.content, chunk.subarray(start, end)]);
      },
    },
    path,
  );
  const archive = readFileSync(path);
  for (let at = 0; at < archive.length; at += chunkSize) parser.push(archive.subarray(at, at + chunkSize));
  parser.end();
  return entries;
}

function write(root: DirectoryNode, options: WriteOptions = {}) {
  const path = join(folder, 'out.cpio');
  return { path, ...createFile(path, (output) => writeTree(root, output, options)) };
}

function file(text: string, mode = 0o644) {
  const bytes = Buffer.from(text);
  return { kind: 'file', meta: { mode, uid: 0, gid: 0 }, size: bytes.length, content: { bytes } } as const;
}

interface TarItem extends Partial<TarHeaderFields> {
  readonly name: string;
  readonly content?: string;
}

function tar(items: readonly TarItem[]): Buffer {
  const parts = items.flatMap(({ content = '', ...fields }) => [
    tarHeader({ type: 'file', mode: 0o644, size: content.length, ...fields }),
    Buffer.from(content),
    Buffer.alloc(tarPadding(content.length)),
  ]);
  return Buffer.concat([...parts, tarEnd]);
}

function convert(archive: Buffer, options: ConstructorParameters<typeof TarToCpio>[2] = {}, chunkSize = 1000) {
  const path = join(folder, 'converted.cpio');
  const converter = new TarToCpio(path, 'source.tar', options);
  try {
    for (let at = 0; at < archive.length; at += chunkSize) converter.push(archive.subarray(at, at + chunkSize));
    return { path, ...converter.finish() };
  } finally {
    converter.close();
  }
}

test('an archive is read back as it was written, parents first, siblings by byte', () => {
  fc.assert(
    fc.property(trees(), fc.integer({ min: 1, max: 3000 }), (root, chunkSize) => {
      const { path, entries } = write(root);
      const expected = flatten(root).sort((a, b) => compareNames(a.name, b.name));
      const found = read(path, chunkSize);
      expect(entries).toBe(expected.length);
      expect(found.map(({ name }) => name)).toEqual(expected.map(({ name }) => name));
      expect(found.map(({ mode }) => mode & 0o7777)).toEqual(expected.map(({ node }) => node.meta.mode));
      expect(found.map(({ content }) => content)).toEqual(expected.map(({ node }) => bytesOf(node)));
      expect(found.map(({ inode }) => inode)).toEqual(expected.map((_, index) => index + 1));
      expect(copyCpio(path, join(folder, 'copy')).warnings).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

test('a tar archive in any order gives the same bytes as the tree', () => {
  fc.assert(
    fc.property(trees(), fc.boolean(), fc.integer({ min: 1, max: 3000 }), (root, sorted, chunkSize) => {
      const items = flatten(root).map(({ name, node }) => ({
        name: node.kind === 'directory' ? `./${name}/` : name,
        type: node.kind,
        mode: node.meta.mode,
        linkName: node.kind === 'symlink' ? node.target : '',
        bytes: node.kind === 'file' ? bytesOf(node) : Buffer.alloc(0),
      }));
      items.sort((a, b) => compareNames(a.name, b.name));
      if (!sorted) items.reverse();
      const archive = Buffer.concat([
        ...items.flatMap(({ bytes, ...fields }) => [
          tarHeader({ ...fields, size: bytes.length, uid: 1000, time: 1_700_000_000 }),
          bytes,
          Buffer.alloc(tarPadding(bytes.length)),
        ]),
        tarEnd,
      ]);
      expect(convert(archive, {}, chunkSize).digest).toBe(write(root).digest);
      expect(readdirSync(folder).sort()).toEqual(['converted.cpio', 'out.cpio']);
    }),
    { numRuns: 60 },
  );
});

test('the bytes are those of newc with numbers of our own', () => {
  const root = emptyDirectory();
  const etc = emptyDirectory();
  etc.children.set('motd', file('hi'));
  root.children.set('etc', etc);
  const { path, size } = write(root, { time: 0x6553f100 });
  const text = readFileSync(path, 'latin1');
  const header = (...numbers: number[]) =>
    '070701' + numbers.map((n) => n.toString(16).toUpperCase().padStart(8, '0')).join('');
  expect(text).toBe(
    `${header(1, 0o40755, 0, 0, 1, 0x6553f100, 0, 0, 0, 0, 0, 6, 0)}./etc\0` +
      `${header(2, 0o100644, 0, 0, 1, 0x6553f100, 2, 0, 0, 0, 0, 11, 0)}./etc/motd\0\0\0\0hi\0\0` +
      `${header(0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 11, 0)}TRAILER!!!\0\0\0\0`,
  );
  expect(size).toBe(text.length);
});

describe('hard links', () => {
  const root = emptyDirectory();
  const shared = file('shared');
  root.children.set('b', shared);
  root.children.set('a', shared);
  root.children.set('alone', file('alone'));

  test('become copies, which every guest understands', () => {
    const found = read(write(root).path);
    expect(found.map(({ name, content, links }) => [name, content.toString(), links])).toEqual([
      ['a', 'shared', 1],
      ['alone', 'alone', 1],
      ['b', 'shared', 1],
    ]);
  });

  test('stay links when asked, the content with the first name', () => {
    const found = read(write(root, { hardLinks: 'link' }).path);
    expect(found.map(({ name, content, links, inode }) => [name, content.toString(), links, inode])).toEqual([
      ['a', 'shared', 2, 1],
      ['alone', 'alone', 1, 2],
      ['b', '', 2, 1],
    ]);
  });

  test.each(['copy', 'link'] as const)('come through a tar archive as %s', (hardLinks) => {
    const archive = tar([
      { name: 'a', content: 'shared' },
      { name: 'alone', content: 'alone' },
      { name: 'b', type: 'link', linkName: './a' },
    ]);
    expect(convert(archive, { hardLinks }).digest).toBe(write(root, { hardLinks }).digest);
  });

  test('find names that came in order long before them, and what follows them is in order still', () => {
    const archive = tar([
      { name: './', type: 'directory' },
      { name: 'bin', type: 'directory' },
      { name: 'bin/sh', content: 'shell' },
      { name: 'lib', type: 'symlink', linkName: 'usr' },
      { name: 'usr', type: 'directory' },
      { name: 'usr/app', type: 'link', linkName: './bin/sh' },
      { name: 'usr/lib', type: 'directory' },
      { name: 'usr/lib/x', content: 'x' },
      { name: 'usr/lib.so', type: 'link', linkName: 'lib/lib/x' },
    ]);
    const found = read(convert(archive).path);
    expect(found.map(({ name, content }) => `${name}=${content.toString()}`)).toEqual([
      'bin=',
      'bin/sh=shell',
      'lib=usr',
      'usr=',
      'usr/app=shell',
      'usr/lib=',
      'usr/lib/x=x',
      'usr/lib.so=x',
    ]);
  });

  test('to what is not there are a fault', () => {
    expect(() => convert(tar([{ name: 'b', type: 'link', linkName: 'a' }]))).toThrow(
      expect.objectContaining({ code: 'LINK_BROKEN' }),
    );
  });
});

describe('a tar archive', () => {
  function names(archive: Buffer): string[] {
    return read(convert(archive).path).map(({ name, content }) => `${name}=${content.toString()}`);
  }

  test('gets the directories that it lacks', () => {
    expect(names(tar([{ name: 'usr/bin/app', content: 'x' }]))).toEqual(['usr=', 'usr/bin=', 'usr/bin/app=x']);
  });

  test('with two entries of a name gives the later one', () => {
    const archive = tar([
      { name: 'a', content: 'old' },
      { name: 'b', content: 'b' },
      { name: 'a', content: 'new' },
    ]);
    expect(names(archive)).toEqual(['a=new', 'b=b']);
  });

  test('that writes through a symbolic link stays inside the root', () => {
    const archive = tar([
      { name: 'lib', type: 'symlink', linkName: '../../usr/lib' },
      { name: 'lib/x', content: 'x' },
    ]);
    expect(names(archive)).toEqual(['lib=../../usr/lib', 'usr=', 'usr/lib=', 'usr/lib/x=x']);
    expect(existsSync(join(folder, 'usr'))).toBe(false);
  });

  test('with absolute names is taken as below the root', () => {
    expect(names(tar([{ name: '/etc/x', content: 'x' }]))).toEqual(['etc=', 'etc/x=x']);
  });

  test('keeps owners when asked', () => {
    const archive = tar([{ name: 'a', uid: 1000, gid: 3_000_000 }]);
    expect(read(convert(archive, { owners: 'keep' }).path)).toMatchObject([{ uid: 1000, gid: 3_000_000 }]);
    expect(read(convert(archive).path)).toMatchObject([{ uid: 0, gid: 0 }]);
  });

  test('with devices and pipes tells what was left out', () => {
    const device = tarHeader({ name: 'dev/null', type: 'file', mode: 0o666, size: 0 });
    device.write('3', 156);
    device.write('        ', 148);
    const sum = device.reduce((total, byte) => total + byte, 0);
    device.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    const { leftOut, entries } = convert(Buffer.concat([device, tar([{ name: 'z' }])]));
    expect(leftOut).toEqual([{ name: 'dev/null', kind: 'character device' }]);
    expect(entries).toBe(1);
  });

  test.each([
    ['that leads out of the root', [{ name: 'a/../../b' }], 'NAME_UNSAFE'],
    ['that is only dots', [{ name: '..' }], 'NAME_UNSAFE'],
    ['that is too long', [{ name: 'x/'.repeat(2100) }], 'NAME_UNSAFE'],
    ['that links out of the root', [{ name: 'a', type: 'link' as const, linkName: '../../etc/passwd' }], 'NAME_UNSAFE'],
    ['below a file', [{ name: 'a', content: 'x' }, { name: 'a/b' }], 'ENTRY_MISPLACED'],
    [
      'below links in a circle',
      [
        { name: 'a', type: 'symlink' as const, linkName: 'b' },
        { name: 'b', type: 'symlink' as const, linkName: 'a' },
        { name: 'a/x' },
      ],
      'LINK_BROKEN',
    ],
    ['of 5 GiB', [{ name: 'big', size: 5 * 2 ** 30 }], 'FILE_TOO_LARGE'],
  ])('with an entry %s is refused', (_, items, code) => {
    expect(() => convert(tar(items))).toThrow(expect.objectContaining({ code }));
  });
});

describe('a CPIO archive that is given', () => {
  function archive(change: (text: string) => string): string {
    const root = emptyDirectory();
    const etc = emptyDirectory();
    etc.children.set('motd', file('hi'));
    root.children.set('etc', etc);
    const path = join(folder, 'given.cpio');
    writeFileSync(path, change(readFileSync(write(root).path, 'latin1')), 'latin1');
    return path;
  }

  test('is passed through byte for byte, also with what follows its end', () => {
    const path = archive((text) => text + '\0'.repeat(300));
    const { size, entries, largest } = copyCpio(path, join(folder, 'copy'));
    expect(readFileSync(join(folder, 'copy'))).toEqual(readFileSync(path));
    expect({ size, entries, largest }).toEqual({
      size: readFileSync(path).length,
      entries: 2,
      largest: [{ name: 'etc/motd', size: 2 }],
    });
  });

  test.each([
    ['no CPIO', () => 'something else'.repeat(20), 'ARCHIVE_INVALID'],
    ['cut off', (text: string) => text.slice(0, 200), 'ARCHIVE_TRUNCATED'],
    ['empty', () => '', 'ARCHIVE_TRUNCATED'],
    ['without its parents', (text: string) => text.slice(116), 'ENTRY_MISPLACED'],
    ['leading out of the root', (text: string) => text.replace('./etc/motd', './../xmotd'), 'NAME_UNSAFE'],
    ['with a damaged number', (text: string) => text.replace('000041ED', '0000zzzz'), 'ARCHIVE_INVALID'],
    ['with a file as parent', (text: string) => text.replace('000041ED', '000081ED'), 'ENTRY_MISPLACED'],
  ])('but is %s is refused and leaves nothing', (_, change, code) => {
    const path = archive(change);
    expect(() => copyCpio(path, join(folder, 'copy'))).toThrow(expect.objectContaining({ code, at: path }));
    expect(existsSync(join(folder, 'copy'))).toBe(false);
  });

  test('with a device is passed through with a warning', () => {
    const path = archive((text) => text.replace('000081A4', '000021A4'));
    expect(copyCpio(path, join(folder, 'copy')).warnings).toEqual([
      'etc/motd is a device, pipe or socket: Unikraft leaves it out.',
    ]);
  });
});

test('a file that is larger or smaller than it was is a fault and leaves nothing', () => {
  const path = join(folder, 'growing');
  writeFileSync(path, 'x'.repeat(300_000));
  for (const size of [299_999, 300_001, 0]) {
    const root = emptyDirectory();
    root.children.set('f', { kind: 'file', meta: { mode: 0o644, uid: 0, gid: 0 }, size, content: { file: path } });
    expect(() => write(root)).toThrow(expect.objectContaining({ code: 'FILE_CHANGED', at: path }));
    expect(existsSync(join(folder, 'out.cpio'))).toBe(false);
  }
});
