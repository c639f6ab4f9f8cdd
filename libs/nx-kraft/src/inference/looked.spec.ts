import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isAsSeen, Looked, type Seen } from './looked.ts';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'nx-kraft-')));
  mkdirSync(join(folder, 'listed'));
  mkdirSync(join(folder, 'asked'));
  for (const file of ['read', 'asked/file', 'other']) writeFileSync(join(folder, file), file);
  symlinkSync('other', join(folder, 'listed/link'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Looks everywhere, long after what is there was written. */
async function look(): Promise<Seen> {
  await sleep(100);
  const looked = new Looked();
  for (const path of ['listed', 'read', 'unread']) looked.contents(join(folder, path));
  for (const path of ['asked/file', 'asked/none/deep', 'listed/link', 'listed/none']) looked.place(join(folder, path));
  return looked.seen(folder);
}

test('what was seen is seen again, also when what is beside it changes', async () => {
  const seen = await look();
  expect(isAsSeen(folder, seen)).toBe(true);
  writeFileSync(join(folder, 'beside'), '');
  writeFileSync(join(folder, 'asked/file'), 'other');
  writeFileSync(join(folder, 'asked/beside'), '');
  expect(isAsSeen(folder, seen)).toBe(true);
  // Its folder tells of it.
  expect(Object.keys(seen.places)).not.toContain('listed/none');
});

test.each<[string, () => void]>([
  ['a new file in a folder that was listed', () => writeFileSync(join(folder, 'listed/none'), '')],
  [
    'a file that was read, with its old time',
    () => (writeFileSync(join(folder, 'read'), '1'), utimesSync(join(folder, 'read'), 1, 1)),
  ],
  ['another file in its place', () => renameSync(join(folder, 'other'), join(folder, 'read'))],
  ['a file that was not there to be read', () => writeFileSync(join(folder, 'unread'), '')],
  ['something that was not there', () => mkdirSync(join(folder, 'asked/none/deep'), { recursive: true })],
  ['something that is gone', () => rmSync(join(folder, 'asked/file'))],
  [
    'a folder in the place of a file',
    () => (rmSync(join(folder, 'asked/file')), mkdirSync(join(folder, 'asked/file'))),
  ],
])('%s is not as it was', async (_what, change) => {
  const seen = await look();
  change();
  expect(isAsSeen(folder, seen)).toBe(false);
});

test('where the link on the way leads counts', () => {
  mkdirSync(join(folder, 'one'));
  mkdirSync(join(folder, 'two'));
  for (const name of ['one', 'two']) writeFileSync(join(folder, name, 'file'), '');
  symlinkSync('../one', join(folder, 'asked/link'));
  const looked = new Looked();
  looked.place(join(folder, 'asked/link/file'));
  const seen = looked.seen(folder);
  rmSync(join(folder, 'asked/link'));
  symlinkSync('../two', join(folder, 'asked/link'));
  expect(isAsSeen(folder, seen)).toBe(false);
});

test('what was touched while somebody looked is looked at again', () => {
  const looked = new Looked();
  looked.contents(join(folder, 'listed'));
  writeFileSync(join(folder, 'listed/new'), '');
  expect(isAsSeen(folder, looked.seen(folder))).toBe(false);
});
