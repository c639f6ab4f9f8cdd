import { spawnSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  closeSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytesOf, flatten, trees } from '../test/trees.ts';
import { createFile, readChunks, TarToCpio, toHostPath, type TreeNode, writeTree } from './index.ts';

// Needs root, as unpacking setuid files with their modes does.

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'readers-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function freshDirectory(name: string): void {
  rmSync(join(folder, name), { recursive: true, force: true });
  mkdirSync(join(folder, name));
}

function runWith(input: string, program: string, ...args: string[]): void {
  const stdin = openSync(input, 'r');
  try {
    const { status, stderr, error } = spawnSync(program, args, {
      cwd: join(folder, 'out'),
      stdio: [stdin, 'ignore', 'pipe'],
    });
    if (error !== undefined) throw error;
    expect(stderr.toString()).toBe('');
    expect(status).toBe(0);
  } finally {
    closeSync(stdin);
  }
}

type Listed = readonly [name: string, kind: string, mode: number, content: string];

/** Name, kind, mode and content of all that lies below a directory of the disk. */
function readBack(directory: string, prefix = ''): Listed[] {
  return readdirSync(toHostPath(`${directory}/${prefix}`), { encoding: 'latin1' }).flatMap((key): Listed[] => {
    const name = prefix + key;
    const path = toHostPath(`${directory}/${name}`);
    const stats = lstatSync(path);
    const mode = stats.mode & 0o7777;
    if (stats.isDirectory()) return [[name, 'directory', mode, ''], ...readBack(directory, `${name}/`)];
    if (stats.isSymbolicLink()) return [[name, 'symlink', 0o777, readlinkSync(path, 'latin1')]];
    return [[name, 'file', mode, readFileSync(path, 'latin1')]];
  });
}

function expected(name: string, node: TreeNode): Listed {
  return [name, node.kind, node.meta.mode, bytesOf(node).toString('latin1')];
}

describe.each([
  ['GNU cpio', 'cpio', ['--extract', '--quiet', '--no-absolute-filenames']],
  ['bsdtar', 'bsdtar', ['-xpf', '-']],
] as const)('%s', (_, program, args) => {
  test('unpacks from our archive the tree that went in', () => {
    fc.assert(
      fc.property(trees(), fc.constantFrom('copy' as const, 'link' as const), (root, hardLinks) => {
        // The same file under a second name, for the hard links.
        const [first] = flatten(root).filter(({ name, node }) => node.kind === 'file' && !name.includes('/'));
        if (first !== undefined && !root.children.has('second')) root.children.set('second', first.node);
        const archive = join(folder, 'archive.cpio');
        createFile(archive, (output) => writeTree(root, output, { hardLinks }));
        freshDirectory('out');
        runWith(archive, program, ...args);
        const byName = (a: Listed, b: Listed): number => (a[0] < b[0] ? -1 : 1);
        expect(readBack(join(folder, 'out')).sort(byName)).toEqual(
          flatten(root)
            .map(({ name, node }) => expected(name, node))
            .sort(byName),
        );
      }),
      { numRuns: 40 },
    );
  });
});

describe.each([
  ['GNU tar, sorted', ['tar', '--sort=name', '--format=pax', '-C', 'tree', '-cf', 'tree.tar', '.']],
  ['GNU tar, its own format and no order', ['tar', '--format=gnu', '-C', 'tree', '-cf', 'tree.tar', '.']],
  ['bsdtar', ['bsdtar', '--no-read-sparse', '-C', 'tree', '-cf', 'tree.tar', '.']],
])('an archive of %s', (_, command) => {
  test('gives the bytes of the tree that it was made from', () => {
    fc.assert(
      fc.property(trees({ text: command[0] === 'bsdtar' }), (root) => {
        const direct = createFile(join(folder, 'direct.cpio'), (output) => writeTree(root, output));
        for (const name of ['tree', 'out']) freshDirectory(name);
        runWith(join(folder, 'direct.cpio'), 'bsdtar', '-xpf', '-', '-C', '../tree');
        const { status, stderr } = spawnSync(command[0] ?? '', command.slice(1), {
          cwd: folder,
          env: { ...process.env, LC_ALL: 'C.UTF-8' },
        });
        expect([status, stderr.toString()]).toEqual([0, '']);
        const converter = new TarToCpio(join(folder, 'converted.cpio'), 'tree.tar');
        readChunks(join(folder, 'tree.tar'), (chunk) => converter.push(chunk));
        expect(converter.finish().digest).toBe(direct.digest);
      }),
      { numRuns: 25 },
    );
  });
});

test.each([
  ["GNU tar's old format", ['tar', '--sparse', '--format=gnu']],
  ['GNU tar, map in the header', ['tar', '--sparse', '--format=pax', '--sparse-version=0.0']],
  ['GNU tar, map in one record', ['tar', '--sparse', '--format=pax', '--sparse-version=0.1']],
  ['GNU tar, map before the content', ['tar', '--sparse', '--format=pax', '--sparse-version=1.0']],
  ['bsdtar', ['bsdtar']],
])('sparse files in an archive of %s are written out in full', (_, [program = '', ...args]) => {
  freshDirectory('tree');
  freshDirectory('out');
  writeFileSync(join(folder, 'tree/all-hole'), '');
  truncateSync(join(folder, 'tree/all-hole'), 3_000_000);
  // More regions than a header, or one block of a map, has room for.
  const fd = openSync(join(folder, 'tree/many-holes'), 'w');
  for (let region = 0; region < 60; region++) writeSync(fd, `region ${region}`, region * 131_072);
  closeSync(fd);
  writeFileSync(join(folder, 'tree/plain'), 'plain');
  expect(spawnSync(program, [...args, '-cf', 'tree.tar', '-C', 'tree', '.'], { cwd: folder }).status).toBe(0);
  // Else, nothing would be proved.
  expect(lstatSync(join(folder, 'tree.tar')).size).toBeLessThan(1_000_000);
  const converter = new TarToCpio(join(folder, 'converted.cpio'), 'tree.tar');
  readChunks(join(folder, 'tree.tar'), (chunk) => converter.push(chunk));
  converter.finish();
  runWith(join(folder, 'converted.cpio'), 'bsdtar', '-xpf', '-');
  const tree = readBack(join(folder, 'tree'));
  const out = readBack(join(folder, 'out'));
  expect(out.map(([name]) => name)).toEqual(tree.map(([name]) => name));
  // Not toEqual, which would print megabytes.
  expect(out.map(([, , , content], index) => content === tree[index]?.[3])).toEqual([true, true, true]);
});
