import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fileLine } from '../test/stand-in.ts';
import { useStandIn } from '../test/use-stand-in.ts';
import { TestWorkspace } from '../test/workspace.ts';

const standIn = useStandIn();
let workspace: TestWorkspace;

beforeEach(async () => {
  workspace = await TestWorkspace.create();
  await standIn.provide('unikraft.org/node:21', workspace.path('.caches/images'));
});
afterEach(() => workspace.remove());

test("an application's files reach a runtime that has its own in the kernel, when it runs and when it is packed", async () => {
  await workspace.write(
    'apps/shop/Kraftfile',
    'spec: v0.6\nruntime: node:21\nrootfs: ./files\ncmd: [/app/main.js]\nenv: { SHOP: toys }\ntargets: [qemu/x86_64]\n',
  );
  await workspace.write('apps/shop/files/app/main.js', 'console.log(1);\n');
  const { exitCode, output } = await workspace.nx('run', 'shop:run');
  expect(exitCode).toBe(0);
  expect(output).toContain('argument 1: /app/main.js');
  expect(output).toContain('environment SHOP=toys');
  expect(output).toContain(await fileLine('/app/main.js', workspace.path('apps/shop/files/app/main.js')));

  expect((await workspace.nx('run', 'shop:package')).exitCode).toBe(0);
  expect(await layerFiles(workspace.path('apps/shop/.unikraft/build/shop.oci'))).toContain('/unikraft/bin/initrd');
});

test('the command runs an application on another runtime than its own, with all else as the Kraftfile says', async () => {
  await workspace.write(
    'apps/shop/Kraftfile',
    'spec: v0.6\nruntime: node:99\nrootfs: ./files\ncmd: [/app/main.js]\nenv: { SHOP: toys, DAY: friday }\ntargets: [qemu/x86_64]\n',
  );
  await workspace.write('apps/shop/files/app/main.js', 'console.log(1);\n');
  expect((await workspace.nx('run', 'shop:rootfs')).exitCode).toBe(0);
  const run = (...words: readonly string[]) => workspace.nxKraft('run', '--offline', '--runtime', 'node:21', ...words);
  const output = await run('-e', 'DAY=sunday', 'apps/shop');
  expect(output).toContain('argument 1: /app/main.js');
  expect(output).toContain('environment SHOP=toys');
  expect(output).toContain('environment DAY=sunday');
  expect(output).toContain(await fileLine('/app/main.js', workspace.path('apps/shop/files/app/main.js')));

  await workspace.write('other/app/main.js', 'console.log(2);\n');
  const other = await run('--rootfs', 'other', 'apps/shop', '/app/main.js', 'now');
  expect(other).toContain('argument 2: now');
  expect(other).toContain(await fileLine('/app/main.js', workspace.path('other/app/main.js')));
});

/** What the layers of an image layout hold, as its manifests tell. */
async function layerFiles(layout: string): Promise<readonly string[]> {
  const folder = join(layout, 'blobs/sha256');
  const texts = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'latin1')));
  return texts
    .filter((text) => text.startsWith('{') && text.includes('"layers":['))
    .flatMap((text) => (JSON.parse(text) as { layers: { annotations?: Record<string, string> }[] }).layers)
    .flatMap(({ annotations = {} }) => Object.values(annotations));
}
