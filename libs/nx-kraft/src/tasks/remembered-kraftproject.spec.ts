import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { loadedByScript } from '../../test/loaded-modules.ts';
import { loadKraftproject } from './kraftproject.ts';
import { recallKraftproject } from './remembered-kraftproject.ts';

const path = 'app/Kraftfile';
const text = "spec: v0.6\nname: web\nunikraft: { source: . }\ntargets: [qemu/x86_64]\ncmd: [a, 'b c']\n";

let root: string;
let memory: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'recall-'));
  memory = join(root, '.nx/workspace-data/nx-kraft');
  await mkdir(join(root, 'app'));
  await writeFile(join(root, path), text);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true });
});

test('a Kraftfile that is as it was is found as it was read', async () => {
  const { file, folder, kraftfile } = await loadKraftproject(root, path);
  await recallKraftproject(root, path);
  expect(await recallKraftproject(root, path)).toEqual({ file, folder, kraftfile });
});

test('no parser is loaded for it', async () => {
  await recallKraftproject(root, path);
  const modules = await loadedByScript(`
    const { recallKraftproject } = await import(${JSON.stringify(join(import.meta.dirname, 'remembered-kraftproject.ts'))});
    await recallKraftproject(${JSON.stringify(root)}, ${JSON.stringify(path)});`);
  expect(modules).toContainEqual(expect.stringContaining('remembered-kraftproject.ts'));
  expect(modules.filter((url) => /node_modules\/(yaml|zod)\//.test(url))).toEqual([]);
});

test('a change is seen, and its memory takes the place of the old one', async () => {
  await recallKraftproject(root, path);
  await writeFile(join(root, path), text.replace('name: web', 'name: shop'));
  expect((await recallKraftproject(root, path)).kraftfile.name).toBe('shop');
  expect(await readdir(memory)).toHaveLength(1);
  await writeFile(join(root, path), 'spec: v0.6\nname: [\n');
  await expect(recallKraftproject(root, path)).rejects.toMatchObject({ code: 'KRAFTFILE_BROKEN' });
  await rm(join(root, path));
  await expect(recallKraftproject(root, path)).rejects.toMatchObject({ code: 'KRAFTFILE_BROKEN' });
});

test('variables are read each time, and their values are not kept', async () => {
  for (const form of ['${TOKEN}', '"\\x24{TOKEN}"']) {
    await writeFile(join(root, path), `${text}env:\n  TOKEN: ${form}\n`);
    for (const value of ['first', 'second']) {
      vi.stubEnv('TOKEN', value);
      expect((await recallKraftproject(root, path)).kraftfile.env).toEqual({ TOKEN: value });
    }
  }
  await expect(readdir(memory)).rejects.toThrow('ENOENT');
});

test('a memory that is damaged is made anew', async () => {
  await recallKraftproject(root, path);
  const [name = ''] = await readdir(memory);
  await writeFile(join(memory, name), '{"key":');
  expect((await recallKraftproject(root, path)).kraftfile.name).toBe('web');
  expect(await readFile(join(memory, name), 'utf8')).toContain('"web"');
});
