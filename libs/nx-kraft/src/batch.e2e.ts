import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { useStandIn } from '../test/use-stand-in.ts';
import { TestWorkspace } from '../test/workspace.ts';

const standIn = useStandIn();
let workspace: TestWorkspace;

beforeEach(async () => {
  workspace = await TestWorkspace.create();
  await standIn.provide('unikraft.org/node:21', workspace.path('.caches/images'));
});
afterEach(() => workspace.remove());

async function addApplication(name: string, dockerfile: string): Promise<void> {
  const lines = ['spec: v0.6', 'runtime: node:21', 'rootfs: ./Dockerfile', 'targets: [qemu/x86_64]', ''];
  await workspace.write(`apps/${name}/Kraftfile`, lines.join('\n'));
  await workspace.write(`apps/${name}/Dockerfile`, dockerfile);
  await workspace.write(`apps/${name}/main.js`, `console.log('${name}');\n`);
}

test('root file systems and packages of many applications are made in one process, as they are made alone', async () => {
  const names = ['dated', 'plain', 'simple'];
  for (const name of names) await addApplication(name, 'FROM scratch\nCOPY main.js /\n');
  await workspace.write('apps/dated/.env', 'SOURCE_DATE_EPOCH=1000000\n');
  const archives = names.map((name) => workspace.path(`apps/${name}/.unikraft/build/initramfs-x86_64.cpio`));
  const indexes = names.map((name) => workspace.path(`apps/${name}/.unikraft/build/${name}.oci/index.json`));
  const made = (): Promise<string[]> => Promise.all([...archives, ...indexes].map((file) => readFile(file, 'latin1')));
  const all = names.flatMap((name) => [`${name}:package`, `${name}:rootfs`]);
  const tasks = ['run-many', '-t', 'rootfs', 'package', '--output-style=static'];
  expect(await workspace.nx(...tasks)).toMatchObject({ exitCode: 0 });
  const alone = await made();
  // The time of entries, which comes from a file of variables for this project only.
  expect(alone[0]).toContain('000F4240');
  expect(alone[1]).not.toContain('000F4240');

  const together = await workspace.nx(...tasks, '--batch', '--skip-nx-cache');
  expect(together).toMatchObject({ exitCode: 0, ran: expect.arrayContaining(all) as string[] });
  expect(together.output.match(/initramfs-x86_64\.cpio: cpio, 1 entries/g)).toHaveLength(names.length);
  expect(await made()).toEqual(alone);
  expect((await workspace.nx(...tasks, '--batch')).cached).toEqual(all);
});

test('one that fails in a batch is told with its own output, and the others are kept', async () => {
  await addApplication('broken', 'FROM scratch\nCOPPY main.js /\n');
  await addApplication('whole', 'FROM scratch\nCOPY main.js /\n');
  const tasks = ['run-many', '-t', 'rootfs', '--batch'];
  const first = await workspace.nx(...tasks);
  expect(first).toMatchObject({ exitCode: 1, output: expect.stringMatching(/Dockerfile:2\b/) as string });
  expect(await workspace.nx(...tasks)).toMatchObject({ exitCode: 1, cached: ['whole:rootfs'], ran: ['broken:rootfs'] });
});
