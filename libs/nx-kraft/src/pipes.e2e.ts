import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '@nx-kraft/base';
import { TestWorkspace } from '../test/workspace.ts';

let workspace: TestWorkspace;

beforeEach(async () => {
  workspace = await TestWorkspace.create('apps/hello', 'tools/test-kernel');
  await workspace.withoutCompilers();
});
afterEach(() => workspace.remove());

const kernel = 'hello:build:qemu-x86_64';
const dockerfile = 'FROM scratch\nCOPY rootfs /\n';

test.each([
  ['the source of a root file system', 'apps/hello/Dockerfile', 'hello:rootfs'],
  ['what a Dockerfile leaves out', 'apps/hello/.dockerignore', 'hello:rootfs'],
  ['the lock', 'kraft.lock', 'hello:rootfs'],
  ['the settings of a project', 'apps/hello/project.json', undefined],
  ['a build file', 'apps/hello/Makefile.uk', kernel],
  ['a build file around an application', 'apps/common.mk', kernel],
  ['a source', 'apps/hello/main.c', kernel],
])('nothing waits for a pipe in place of %s', async (_what, file, task) => {
  await workspace.edit('apps/hello/Kraftfile', 'rootfs: ./rootfs', 'rootfs: ./Dockerfile');
  await workspace.edit('apps/hello/Makefile.uk', '$(eval', 'include $(APP_BASE)/../common.mk\n$(eval');
  await workspace.write('apps/hello/Dockerfile', dockerfile);
  await workspace.write('apps/common.mk', '');
  await rm(workspace.path(file), { force: true });
  await run('mkfifo', [workspace.path(file)]);
  const shown = await workspace.nx('show', 'projects');
  expect(shown.exitCode).toBe(0);
  expect(shown.output.split('\n')).toContain('hello');
  if (task === undefined) return;
  const { exitCode, output } = await workspace.nx('run', task);
  expect(exitCode).toBe(1);
  expect(output).toContain(`${workspace.path(file)}: this is a named pipe, and not a file (FILE_IRREGULAR)`);
});
