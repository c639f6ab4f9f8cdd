import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '@nx-kraft/base';
import { Disk } from './disk.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ignored-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(path: string, text = ''): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}

test('folders are ignored that git ignores, by rules anywhere around them', async () => {
  await put(
    '.gitignore',
    '# /plain\n/gen/\nbuild*\nlibs/*/made\n**/deep\n[!a-z]x\n[z-a]\n!kept\n\\!odd\nfile.c\nall/**\n',
  );
  await put('libs/.gitignore', '/own\n!building\nkept\n');
  const ignored = [
    'gen',
    'gen/two',
    'apps/build',
    'buildroot/x',
    'libs/a/made',
    'a/b/deep',
    '1x',
    '!odd',
    'libs/own',
    'all/x',
  ];
  const others = [
    'plain',
    'apps/gen',
    'libs/building',
    'libs/a/b/made',
    'ax',
    'kept',
    'own',
    'libs/other',
    'all',
    'z-a',
  ];
  const { ignored: found } = new Disk(folder);
  for (const path of [...ignored, ...others, 'libs/kept']) await put(`${path}/lib.c`);
  const known = [...ignored, ...others, 'libs/kept'].filter((path) => found.has(path));
  expect(known).toEqual([...ignored, 'libs/kept']);
  // As git itself says.
  await run('git', ['init', '--quiet'], { cwd: folder });
  for (const path of [...ignored, ...others, 'libs/kept']) {
    const told = await run('git', ['check-ignore', '--quiet', path], { cwd: folder }).then(
      () => true,
      () => false,
    );
    expect([path, told]).toEqual([path, known.includes(path)]);
  }
});

test('files are ignored that git ignores, where a rule does not mean folders alone', async () => {
  await put('.gitignore', '*.gen\n/src/*.h\n!keep.h\nboth/\n/made\n');
  await put('src/.gitignore', '/own.c\n');
  const ignored = ['x.gen', 'src/x.gen', 'src/a.h', 'src/own.c', 'made/x.c', 'deep/both/x.c'];
  const others = ['x.h', 'src/keep.h', 'both', 'src/both', 'src/made', 'src/a.c'];
  for (const path of [...ignored, ...others]) await put(path);
  await run('git', ['init', '--quiet'], { cwd: folder });
  const told = await run('git', ['check-ignore', ...ignored, ...others], { cwd: folder });
  expect(told.trim().split('\n')).toEqual(ignored);
  const { ignored: found } = new Disk(folder);
  expect([...ignored, ...others].filter((path) => found.has(path))).toEqual(ignored);
});

test('what .nxignore says counts more than what .gitignore does', async () => {
  await put('.gitignore', '/gen\n');
  await put('.nxignore', '!/gen\nlibs/vendor\n');
  const { ignored } = new Disk(folder);
  expect(['gen', 'libs/vendor', 'libs/vendor/one', 'libs', '.'].filter((path) => ignored.has(path))).toEqual([
    'libs/vendor',
    'libs/vendor/one',
  ]);
});
