import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Instances } from '@nx-kraft/machine/run';
import { markUsed, pruneRunCache, runCacheFolder } from './run-cache.ts';

const hour = 3600_000;

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'nk-'));
  vi.stubEnv('XDG_CACHE_HOME', join(home, 'cache'));
  vi.stubEnv('XDG_STATE_HOME', join(home, 'state'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(home, { recursive: true });
});

/** An entry that was used two hours ago. */
async function addEntry(name: string, ...files: readonly string[]): Promise<string> {
  const path = join(runCacheFolder(), name);
  await mkdir(files.length === 0 ? runCacheFolder() : path, { recursive: true });
  if (files.length === 0) await writeFile(path, 'archive');
  for (const file of files) await writeFile(join(path, file), file);
  const then = new Date(Date.now() - 2 * hour);
  await utimes(path, then, then);
  return path;
}

test('what no machine needs and nobody used for long goes', async () => {
  const image = await addEntry('sha256-1', 'kernel', 'image.json');
  await addEntry('sha256-2', 'kernel', 'image.json');
  await addEntry('used.cpio').then(markUsed);
  const archive = await addEntry('needed.cpio');
  await addEntry('unneeded.cpio');
  await addEntry('.left-by-a-killed-run.cpio');
  const plan = { architecture: 'x86_64', platform: 'qemu', kernel: join(image, 'kernel'), initrd: archive } as const;
  await new Instances().create(plan, { name: 'sleeping' });

  expect(await pruneRunCache(3 * hour)).toEqual({ entries: 0, bytes: 0 });
  expect(await pruneRunCache(hour)).toEqual({ entries: 3, bytes: 'kernelimage.json'.length + 2 * 'archive'.length });
  expect((await readdir(runCacheFolder())).toSorted()).toEqual(['needed.cpio', 'sha256-1', 'used.cpio']);

  await new Instances().remove('sleeping');
  expect(await pruneRunCache(hour)).toMatchObject({ entries: 2 });
});

test('two that do so at once are not in the way of each other, and where there is nothing that is no fault', async () => {
  expect(await pruneRunCache(hour)).toEqual({ entries: 0, bytes: 0 });
  for (const name of ['a', 'b', 'c']) await addEntry(name, 'kernel');
  const both = await Promise.all([pruneRunCache(hour), pruneRunCache(hour)]);
  expect(both.reduce((sum, { entries }) => sum + entries, 0)).toBe(3);
  expect(await readdir(runCacheFolder())).toEqual([]);
});
