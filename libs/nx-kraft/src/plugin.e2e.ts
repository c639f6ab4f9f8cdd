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
