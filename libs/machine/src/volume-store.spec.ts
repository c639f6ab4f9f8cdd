import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { VolumeStore } from './volume-store.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'volumes-'));
});
afterEach(() => rm(root, { recursive: true }));

test('volumes are made, listed and removed by their name', async () => {
  const store = new VolumeStore(join(root, 'volumes'));
  expect(await store.list()).toEqual([]);
  const { folder } = await store.create('data');
  await writeFile(join(folder, 'file'), 'x');
  await store.create('other');
  await expect(store.create('data')).rejects.toMatchObject({ code: 'MACHINE_NAME_TAKEN' });
  expect((await store.list()).map(({ name }) => name)).toEqual(['data', 'other']);
  await store.remove('data');
  await expect(store.inspect('data')).rejects.toMatchObject({ code: 'MACHINE_NO_VOLUME', hint: 'There are: other.' });
});

test('a name cannot lead elsewhere', async () => {
  await expect(new VolumeStore(root).create('../x')).rejects.toMatchObject({ code: 'MACHINE_BAD_VOLUME' });
});
