import { readFile } from 'node:fs/promises';
import { run } from '@nx-kraft/base';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestWorkspace } from '../test/workspace.ts';

let workspace: TestWorkspace;
beforeEach(async () => {
  workspace = await TestWorkspace.create('apps/hello', 'tools/test-kernel');
});
afterEach(() => workspace.remove());

test('read-only images are made beside the root file system, and again when their files change', async () => {
  await workspace.edit('apps/hello/Kraftfile', 'spec: v0.6', 'spec: v0.7');
  await workspace.edit('apps/hello/Kraftfile', 'rootfs: ./rootfs', 'rootfs: ./rootfs\n\nroms: [./data, ./more]');
  await workspace.write('apps/hello/data/table', 'first');
  await workspace.write('apps/hello/more/one', 'one');
  const first = await workspace.nx('run', 'hello:rootfs');
  expect(first).toMatchObject({ exitCode: 0, ran: ['hello:rootfs'] });
  const [data = '', more = ''] = first.output.match(/\S+\.erofs(?=: erofs, 1 entries)/g) ?? [];
  expect(data).not.toBe(more);
  const before = await readFile(workspace.path(`apps/hello/${more}`));

  await workspace.write('apps/hello/data/table', 'second');
  expect(await workspace.nx('run', 'hello:rootfs')).toMatchObject({ ran: ['hello:rootfs'] });
  await run('fsck.erofs', [`--extract=${workspace.path('extracted')}`, workspace.path(`apps/hello/${data}`)]);
  expect(await readFile(workspace.path('extracted/table'), 'utf8')).toBe('second');
  expect((await readFile(workspace.path(`apps/hello/${more}`))).equals(before)).toBe(true);

  await workspace.write('apps/hello/data/table', 'first');
  expect(await workspace.nx('run', 'hello:rootfs')).toMatchObject({ cached: ['hello:rootfs'] });
});
