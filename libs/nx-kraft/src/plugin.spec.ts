import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadedByScript } from '../test/loaded-modules.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'plugin-'));
  await mkdir(join(root, 'app'));
  await writeFile(join(root, 'app/Kraftfile'), 'spec: v0.6\nruntime: base:latest\ntargets: [qemu/x86_64]\n');
});
afterEach(() => rm(root, { recursive: true }));

test('a command that only asks for the graph loads nothing of Nx into the plugin', async () => {
  const context = { workspaceRoot: root, nxJsonConfiguration: {} };
  const modules = await loadedByScript(`
    const plugin = await import(${JSON.stringify(join(import.meta.dirname, 'plugin.ts'))});
    const context = ${JSON.stringify(context)};
    const [[, { projects }]] = await plugin.createNodes[1](['app/Kraftfile'], {}, context);
    await plugin.createDependencies({}, { ...context, projects: { app: { root: 'app', ...projects.app } } });`);
  expect(modules).toContainEqual(expect.stringContaining('inference/dependencies.ts'));
  expect(modules.filter((url) => /node_modules\/(@nx|nx|execa)\//.test(url))).toEqual([]);
});
