import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { machineSettings } from './machine-options.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'settings-'));
  await writeFile(join(folder, 'good.env'), '# comment\n\nexport A="two\nlines" # comment\nB=1\n');
  await writeFile(join(folder, 'bad.env'), 'A=1\n\nB\n');
});
afterEach(() => rm(folder, { recursive: true }));

test('variables come from files, in the order of these, and go over those of the project', async () => {
  await writeFile(join(folder, 'more.env'), 'B=2\n');
  const { env } = await machineSettings({ envFile: ['good.env', 'more.env'] }, folder, { A: 'project', C: 'project' });
  expect(env).toEqual({ A: 'two\nlines', B: '2', C: 'project' });
});

test.each([
  ['none.env', 'none.env', 'there is no such file or folder'],
  ['.', '', 'this is a folder, and not a file'],
  ['/dev/null', '/dev/null', 'this is a character device, and not a file'],
  ['bad.env', 'bad.env:3', 'this line is none of the form NAME=value'],
])('%s is no file with variables', async (file, place, message) => {
  const settings = machineSettings({ envFile: [file] }, folder, {});
  const at = place.startsWith('/') ? place : join(folder, place).replace(/\/$/, '');
  await expect(settings).rejects.toMatchObject({ code: 'ENV_FILE_INVALID', at, message });
});
