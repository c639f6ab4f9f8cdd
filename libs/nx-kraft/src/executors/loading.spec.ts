import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadedByScript } from '../../test/loaded-modules.ts';

// Nx starts a process for each task, and loading is most of what a small one takes.
test.each([
  ['rootfs', /\/(tar-stream|yaml|zod|execa)\/|\/(oci\/src\/(registry|store|layout)|components\/src\/index)/],
  ['build', /\/(tar-stream|yaml|execa)\/|\/(oci|archive)\/src\//],
  ['package', /\/(tar-stream|yaml|execa)\/|\/(kernel|components)\/src\/index/],
  ['test', /\/(tar-stream|yaml|execa)\/|\/(oci|components|kernel)\/src\/index/],
])('the task %s does not load what only other tasks need', async (name, needless) => {
  const executor = join(import.meta.dirname, name, 'executor.ts');
  const modules = await loadedByScript(`await import(${JSON.stringify(executor)});`);
  expect(modules).toContainEqual(expect.stringContaining(`executors/${name}/executor.ts`));
  expect(modules.filter((url) => needless.test(url))).toEqual([]);
});

test('no library is loaded as a module and once more as CommonJS', async () => {
  const [kraftfile, scenario] = ['kraftfile/src/shape.ts', 'machine/src/scenario.ts'].map((path) =>
    JSON.stringify(join(import.meta.dirname, '../../..', path)),
  );
  const modules = await loadedByScript(`
    (await import(${kraftfile})).shapeOf('v0.7');
    await import(${scenario});`);
  expect(modules.filter((url) => /\/zod\/index\.c?js$/.test(url))).toHaveLength(1);
});
