import { mkdir, mkdtemp, readFile, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { findDamage, inWorkspace, type Place, sealName, sealResults } from './seal.ts';

const seal = `apps/web/${sealName('build')}`;
const outputs = ['apps/web/kernel', 'apps/web/layout', 'apps/web/never-made', seal];

let folder: string;
let place: Place;
const path = (name: string): string => join(folder, name);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'seal-'));
  vi.stubEnv('NX_WORKSPACE_DATA_DIRECTORY', undefined);
  place = inWorkspace(folder);
  await mkdir(path('apps/web/layout/blobs'), { recursive: true });
  await writeFile(path('apps/web/kernel'), Buffer.alloc(3 * 1024 * 1024, 'kernel'));
  await writeFile(path('apps/web/layout/blobs/one'), 'one');
  await symlink('blobs/one', path('apps/web/layout/link'));
  await sealResults(place, outputs);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

test('results that are as they were made have no damage, and neither has what bears no seal', async () => {
  expect(await findDamage(place, outputs)).toBeUndefined();
  expect(await findDamage(place, ['apps/web/kernel'])).toBeUndefined();
});

test('a seal is the same wherever and whenever the results were made', async () => {
  const before = await readFile(path(seal), 'utf8');
  await utimes(path('apps/web/kernel'), 1, 1);
  await sealResults(place, outputs.toReversed());
  expect(await readFile(path(seal), 'utf8')).toBe(before);
  expect(Object.keys(JSON.parse(before) as object)).toEqual([
    'apps/web/kernel',
    'apps/web/layout/blobs/one',
    'apps/web/layout/link',
  ]);
});

test.each<[string, () => Promise<unknown>, string]>([
  ['another byte', () => writeFile(path('apps/web/layout/blobs/one'), 'onE'), 'apps/web/layout/blobs/one'],
  ['a byte of a large file', () => writeFile(path('apps/web/kernel'), 'K', { flag: 'r+' }), 'apps/web/kernel'],
  ['another length', () => truncate(path('apps/web/kernel'), 100), 'apps/web/kernel'],
  ['a missing file', () => rm(path('apps/web/kernel')), 'apps/web/kernel'],
  ['a missing folder', () => rm(path('apps/web/layout'), { recursive: true }), 'apps/web/layout/blobs/one'],
  [
    'a link to something else',
    async () => {
      await rm(path('apps/web/layout/link'));
      await symlink('blobs/two', path('apps/web/layout/link'));
    },
    'apps/web/layout/link',
  ],
  [
    'a file where a link was',
    async () => {
      await rm(path('apps/web/layout/link'));
      await writeFile(path('apps/web/layout/link'), 'one');
    },
    'apps/web/layout/link',
  ],
  ['no seal', () => rm(path(seal)), seal],
  ['half a seal', () => truncate(path(seal), 30), seal],
])('%s is damage', async (_what, change, where) => {
  await change();
  expect(await findDamage(place, outputs)).toBe(`${where} is missing or damaged`);
});

test('what is known to be whole is looked at again when it was touched, whatever its time says', async () => {
  expect(await findDamage(place, outputs)).toBeUndefined();
  const file = path('apps/web/layout/blobs/one');
  const { mtime, atime } = await stat(file);
  // Clocks of file systems are behind by a few milliseconds.
  await sleep(20);
  await writeFile(file, 'onE');
  await utimes(file, atime, mtime);
  expect(await findDamage(place, outputs)).toBe('apps/web/layout/blobs/one is missing or damaged');
});
