import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ProgramVersions } from './program-versions.ts';

let folder: string;
let program: string;
const memory = (): string => join(folder, '.nx/workspace-data/nx-kraft-versions.json');

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'versions-'));
  program = join(folder, 'bin/tool');
  await mkdir(join(folder, 'bin'));
  vi.stubEnv('NX_WORKSPACE_DATA_DIRECTORY', undefined);
  vi.stubEnv('PATH', `${join(folder, 'bin')}:${process.env.PATH}`);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** As the next command does. */
async function ask(): Promise<string> {
  const versions = new ProgramVersions(folder);
  const version = await versions.ask('tool');
  versions.save();
  return version;
}

/** What was remembered, made recognizable. */
async function forge(): Promise<void> {
  await writeFile(memory(), (await readFile(memory(), 'utf8')).replace(/"version":"[^"]*"/, '"version":"remembered"'));
}

test('a program is asked once, and again when it is another file', async () => {
  await copyFile('/bin/cat', program);
  expect(await ask()).toMatch(/^\S*cat .*\d/);
  await forge();
  expect(await ask()).toBe('remembered');

  await utimes(program, 1, 1);
  expect(await ask()).toMatch(/^\S*cat /);
  await forge();
  await copyFile('/bin/ls', program);
  expect(await ask()).toMatch(/^\S*ls /);
});

test('a script is asked each time', async () => {
  await writeFile(program, '#!/bin/sh\ncat "$0.version"\n');
  await chmod(program, 0o755);
  await writeFile(`${program}.version`, 'one\n');
  expect(await ask()).toBe('one');
  await writeFile(`${program}.version`, 'two\n');
  expect(await ask()).toBe('two');
});

test('a program of another name that stands in for it is asked each time, as ccache for a compiler', async () => {
  await copyFile('/bin/cat', join(folder, 'bin/wrapper'));
  await symlink('wrapper', program);
  expect(await ask()).toMatch(/cat/);
  expect(existsSync(memory())).toBe(false);
});

test('a program that was missing is found once it is there, and missed once it is gone', async () => {
  expect(await ask()).toBe('missing');
  await copyFile('/bin/cat', program);
  expect(await ask()).toMatch(/cat/);
  await rm(program);
  expect(await ask()).toBe('missing');
});

test('a memory that is broken is one that is empty', async () => {
  await copyFile('/bin/cat', program);
  await ask();
  await writeFile(memory(), '[{');
  expect(await ask()).toMatch(/cat/);
});

test('what depends on more than a program is found again when that is another', async () => {
  await copyFile('/bin/cat', program);
  const find = async (answer: string, surroundings: string): Promise<string> => {
    const memory = new ProgramVersions(folder);
    const found = await memory.recall('rights', 'tool', () => Promise.resolve(answer), surroundings);
    memory.save();
    return found;
  };
  expect(await find('allowed', 'root')).toBe('allowed');
  expect(await find('denied', 'root')).toBe('allowed');
  expect(await find('denied', 'user')).toBe('denied');
});
