import { existsSync } from 'node:fs';
import { chmod, link, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { recallVariables, rememberVariables } from '../inference/variables.ts';
import { prepareInputs } from './prepare-inputs.ts';

let workspace: string;
const tool = (): string => join(workspace, 'apps/web/rootfs/tool');
const details = (): string => join(workspace, 'apps/web/.unikraft/file-details');

beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'inputs-'));
  vi.stubEnv('NX_WORKSPACE_DATA_DIRECTORY', undefined);
  await mkdir(join(workspace, 'apps/web/rootfs'), { recursive: true });
  await writeFile(tool(), '');
  const files = { 'apps/web/.unikraft/file-details': ['apps/web/rootfs', 'apps/web/rootfs/**/*'] };
  rememberVariables(workspace, ['apps/web/Kraftfile'], { files, linked: [], late: [], versions: [] });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(workspace, { recursive: true });
});

test('modes of files are written down in their project, and nothing of plain files', async () => {
  await prepareInputs(workspace);
  expect(existsSync(details())).toBe(false);

  await chmod(tool(), 0o755);
  await prepareInputs(workspace);
  const executable = await readFile(details(), 'utf8');
  await chmod(tool(), 0o4755);
  await prepareInputs(workspace);
  expect(await readFile(details(), 'utf8')).not.toBe(executable);

  await chmod(tool(), 0o644);
  await prepareInputs(workspace);
  expect(existsSync(details())).toBe(false);
});

test('hard links are written down where they stay such', async () => {
  await link(tool(), join(workspace, 'apps/web/rootfs/same'));
  await prepareInputs(workspace);
  expect(existsSync(details())).toBe(false);
  const file = 'apps/web/.unikraft/file-details';
  rememberVariables(workspace, ['apps/web/Kraftfile'], {
    files: { [file]: ['apps/web/rootfs/**/*'] },
    linked: [file],
    late: [],
    versions: [],
  });
  await prepareInputs(workspace);
  expect(existsSync(details())).toBe(true);
});

test('contents that Nx passes over are written down too, and remembered as long as there are any', async () => {
  const memory = join(workspace, '.nx/workspace-data/nx-kraft-contents.json');
  const modules = join(workspace, 'apps/web/rootfs/node_modules');
  await mkdir(modules);
  await writeFile(join(modules, 'index.js'), '1');
  await prepareInputs(workspace);
  const before = await readFile(details(), 'utf8');
  expect(await readFile(memory, 'utf8')).toContain(join(modules, 'index.js'));
  await writeFile(join(modules, 'index.js'), '2');
  await prepareInputs(workspace);
  expect(await readFile(details(), 'utf8')).not.toBe(before);

  await writeFile(memory, '[{');
  await rm(modules, { recursive: true });
  await prepareInputs(workspace);
  expect([existsSync(memory), existsSync(details())]).toEqual([false, false]);
});

test('no project adds a variable, since Nx copies all of them for each task', async () => {
  await chmod(tool(), 0o755);
  const variables = await prepareInputs(workspace);
  rememberVariables(workspace, ['apps/web/Kraftfile'], { files: {}, linked: [], late: [], versions: [] });
  expect(Object.keys(await prepareInputs(workspace))).toEqual(Object.keys(variables));
});

test('entries of the plugin that take some folders each are all heard, and none that is outdated', async () => {
  const other = join(workspace, 'apps/api/rootfs/tool');
  const file = 'apps/api/.unikraft/file-details';
  await mkdir(join(workspace, 'apps/api/rootfs'), { recursive: true });
  for (const path of [tool(), other]) await writeFile(path, '', { mode: 0o755 });
  await chmod(tool(), 0o755);
  const needed = { files: { [file]: ['apps/api/rootfs/**/*'] }, linked: [], late: [], versions: [] };
  rememberVariables(workspace, ['apps/api/Kraftfile'], needed);
  await prepareInputs(workspace);
  expect([details(), join(workspace, file)].map((path) => existsSync(path))).toEqual([true, true]);

  rememberVariables(workspace, ['apps/a/Kraftfile', 'apps/api/Kraftfile'], { ...needed, late: [file] });
  expect(recallVariables(workspace).late).toEqual([file]);
  rememberVariables(workspace, ['apps/a/Kraftfile', 'apps/api/Kraftfile', 'apps/web/Kraftfile'], {
    ...needed,
    files: {},
  });
  expect(recallVariables(workspace).files).toEqual({});
});

test('what was found together with a Kraftfile that is gone counts no more', () => {
  const needed = (...globs: readonly string[]) => ({
    files: { 'apps/web/.unikraft/file-details': globs },
    linked: [],
    late: [],
    versions: [],
  });
  // Whichever of both would be read last.
  for (let index = 0; index < 8; index++) {
    rememberVariables(workspace, [`apps/a${index}/Kraftfile`, 'apps/web/Kraftfile'], needed('before'));
    rememberVariables(workspace, ['apps/web/Kraftfile'], needed('now'));
    expect(recallVariables(workspace)).toEqual(needed('now'));
  }
});
