import { readFile, rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestWorkspace } from '../test/workspace.ts';

let workspace: TestWorkspace;

beforeAll(async () => {
  workspace = await TestWorkspace.create('apps/hello', 'tools/test-kernel');
});
afterAll(() => workspace.remove());

test('a kernel is built once, restored when its output is gone, and built again when its source changes', async () => {
  const kernel = workspace.path('apps/hello/.unikraft/build/hello_qemu-x86_64');
  const task = 'hello:build:qemu-x86_64';
  const first = await workspace.nx('run', task);
  expect(first).toMatchObject({ exitCode: 0, ran: [task] });
  const bytes = await readFile(kernel);

  await rm(kernel);
  expect(await workspace.nx('run', task)).toMatchObject({ exitCode: 0, cached: [task], ran: [] });
  expect((await readFile(kernel)).equals(bytes)).toBe(true);

  await workspace.edit('apps/hello/main.c', 'Hello from', 'Greetings from');
  expect(await workspace.nx('run', task)).toMatchObject({ exitCode: 0, ran: [task], cached: [] });
  expect((await readFile(kernel)).equals(bytes)).toBe(false);
});

test('run boots what was built, shows the console and ends with the guest', async () => {
  const { exitCode, output } = await workspace.nx('run', 'hello:run');
  expect(exitCode).toBe(0);
  const lines = output.split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'argument 1: world',
      'argument 2: and all who build it',
      'This line comes from the root file system.',
    ]),
  );
});

test('run passes on that the guest failed', async () => {
  await workspace.edit('apps/hello/main.c', 'return show("/etc/motd");', 'return 7;');
  const { exitCode, output } = await workspace.nx('run', 'hello:run');
  expect(exitCode).toBe(1);
  expect(output).toContain('the program ended with 7 (GUEST_FAILED)');
  await workspace.edit('apps/hello/main.c', 'return 7;', 'return show("/etc/motd");');
});

test('a change of the root file system or of cmd builds no kernel', async () => {
  await workspace.nx('run', 'hello:build');
  await workspace.edit('apps/hello/rootfs/etc/motd', 'This line', 'Another line');
  const changed = await workspace.nx('run-many', '-t', 'build', 'rootfs');
  expect(changed).toMatchObject({ ran: ['hello:rootfs'] });
  expect(changed.cached).toEqual(expect.arrayContaining(['hello:build:fc-x86_64', 'hello:build:qemu-x86_64']));

  await workspace.edit('apps/hello/Kraftfile', "'world'", "'moon'");
  const { output, ran } = await workspace.nx('run', 'hello:run');
  expect(ran).toEqual(['hello:run']);
  expect(output).toContain('argument 1: moon');
});

test('a broken Kraftfile is told by its own tasks, and the others go on', async () => {
  await workspace.write('apps/broken/Kraftfile', 'spec: v0.6\ntargets:\n  - qemu\n');
  const broken = await workspace.nx('run', 'broken:build');
  expect(broken.exitCode).toBe(1);
  expect(broken.output).toContain('apps/broken/Kraftfile:3:5: error:');
  expect((await workspace.nx('run', 'hello:build')).exitCode).toBe(0);
});
