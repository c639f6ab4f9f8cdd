import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestWorkspace } from '../test/workspace.ts';

const tasks = ['run-many', '-t', 'build', 'rootfs', 'test', 'package', 'lint', '-p', 'hello'];

let workspace: TestWorkspace;

beforeAll(async () => {
  workspace = await TestWorkspace.ofRepository();
  const { exitCode, output, ran } = await workspace.nx(...tasks);
  expect(exitCode, output).toBe(0);
  expect(ran).toEqual(
    expect.arrayContaining(['hello:build:qemu-x86_64', 'hello:rootfs', 'hello:test', 'hello:package']),
  );
});
afterAll(() => workspace.remove());

test('in its own repository the plugin takes everything from the cache, whatever becomes of its tests', async () => {
  expect(await workspace.nx(...tasks)).toMatchObject({ exitCode: 0, ran: [] });
  await workspace.write('libs/base/src/base.spec.ts', '');
  await workspace.write('libs/nx-kraft/src/new.e2e.ts', '');
  expect(await workspace.nx(...tasks)).toMatchObject({ exitCode: 0, ran: [] });
});

test('there all tasks run again with other sources of the plugin', async () => {
  await workspace.write('libs/base/src/new.ts', 'export const one = 1;\n');
  const { exitCode, output, ran } = await workspace.nx(...tasks);
  expect(exitCode, output).toBe(0);
  const all = [
    'hello:build:fc-x86_64',
    'hello:build:qemu-x86_64',
    'hello:lint',
    'hello:package',
    'hello:rootfs',
    'hello:test',
  ];
  expect(ran).toEqual(all);
});
