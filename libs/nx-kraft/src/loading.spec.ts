import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadedByScript } from '../test/loaded-modules.ts';

// Nx starts a process for each task, and for the plugin one with most commands: loading is most of what a small one takes.

test('a command that only asks for the graph loads nothing of Nx into the plugin, and no archives', async () => {
  const root = await mkdtemp(join(tmpdir(), 'plugin-'));
  try {
    await mkdir(join(root, 'app'));
    await writeFile(join(root, 'app/Kraftfile'), 'spec: v0.6\nruntime: base:latest\nrootfs: ./Dockerfile\n');
    await writeFile(join(root, 'app/Dockerfile'), 'FROM scratch\nCOPY app /\n');
    const context = { workspaceRoot: root, nxJsonConfiguration: {} };
    const modules = await loadedByScript(`
      const plugin = await import(${pathOf('plugin.ts')});
      const context = ${JSON.stringify(context)};
      const [[, { projects }]] = await plugin.createNodes[1](['app/Kraftfile'], {}, context);
      await plugin.createDependencies({}, { ...context, projects: { app: { root: 'app', ...projects.app } } });`);
    expect(modules).toContainEqual(expect.stringContaining('rootfs/src/inputs.ts'));
    expect(modules).toContainEqual(expect.stringContaining('inference/dependencies.ts'));
    const needless = /node_modules\/(@nx|nx|execa|yaml)\/|\/archive\/src\/|\/oci\/src\/(?!fault|reference|digest)/;
    expect(modules.filter((url) => needless.test(url))).toEqual([]);
  } finally {
    await rm(root, { recursive: true });
  }
});

test.each([
  ['executors/rootfs/executor.ts', /\/(tar-stream|yaml|zod|execa)\/|\/(oci|components)\/src\/(index|registry|layout)/],
  ['executors/build/executor.ts', /\/(tar-stream|yaml|execa)\/|\/(oci|archive)\/src\//],
  ['executors/package/executor.ts', /\/(tar-stream|yaml|execa)\/|\/(kernel|components)\/src\/index/],
  ['executors/test/executor.ts', /\/(tar-stream|yaml|execa)\/|\/(oci|components|kernel)\/src\/index/],
  ['cli/instances.ts', /\/(zod|yaml|execa)\/|\/(oci|rootfs|kernel)\/src\//],
  ['cli/run.ts', /\/(zod|yaml|execa)\/|\/(oci|rootfs|kernel)\/src\/index/],
])('%s does not load what only others need', async (file, needless) => {
  const modules = await loadedByScript(`await import(${pathOf(file)});`);
  expect(modules).toContainEqual(expect.stringContaining(file));
  expect(modules.filter((url) => needless.test(url))).toEqual([]);
});

test('no library is loaded as a module and once more as CommonJS', async () => {
  const modules = await loadedByScript(`
    (await import(${pathOf('../../kraftfile/src/shape.ts')})).shapeOf('v0.7');
    await import(${pathOf('../../machine/src/scenario.ts')});`);
  expect(modules.filter((url) => /\/zod\/index\.c?js$/.test(url))).toHaveLength(1);
});

function pathOf(file: string): string {
  return JSON.stringify(join(import.meta.dirname, file));
}
