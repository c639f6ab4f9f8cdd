import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The trees to measure with; the smaller ones are made of what a developer's machine has. */
export const treeNames = ['small-files', 'python', 'one-file'] as const;
export type TreeName = (typeof treeNames)[number];

/**
 * Makes a tree below `folder`: 20,000 small files in 3,400 directories, as `node_modules` has them; Python with its
 * libraries and the C library; one file of 1 GiB that does not compress.
 */
export function makeTree(name: TreeName, folder: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  if (name === 'small-files') makeSmallFiles(path);
  else if (name === 'python') makePython(path);
  else fill(join(path, 'big'), 2 ** 30);
  return path;
}

function makeSmallFiles(path: string): void {
  const random = sequence(7);
  const block = Buffer.alloc(200_000, 'module.exports = function () { return 42; };\n');
  for (let directory = 0; directory < 3400; directory++) {
    const folder = join(
      path,
      `package-${directory % 340}`,
      directory < 340 ? '' : `lib-${Math.floor(directory / 340)}`,
    );
    mkdirSync(folder, { recursive: true });
    for (let file = 0; file < 6; file++) {
      if (directory * 6 + file >= 20_000) return;
      // Most files are small, some are large: 7 KiB on average.
      writeFileSync(join(folder, `file-${file}.js`), block.subarray(0, Math.floor(150_000 * random() ** 20) + 200));
    }
  }
}

/** Numbers in [0, 1) that are the same in every run. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
}

function makePython(path: string): void {
  const [version = 'python3'] = readdirSync('/usr/lib').filter((name) => /^python3\.\d+$/.test(name));
  for (const source of [
    `/usr/lib/${version}`,
    `/usr/bin/${version}`,
    '/lib/x86_64-linux-gnu/libc.so.6',
    '/etc',
    '/usr/lib/locale',
  ]) {
    spawnSync('cp', ['--archive', '--parents', source, path]);
  }
}

function fill(path: string, size: number): void {
  spawnSync('dd', ['if=/dev/urandom', `of=${path}`, 'bs=1M', `count=${size / 2 ** 20}`, 'status=none']);
}
