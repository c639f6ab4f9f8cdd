import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeImage } from '../test/images.ts';
import { decodeIndex } from './decode.ts';
import type { Digest } from './digest.ts';
import { readImage } from './image.ts';
import { Layout } from './layout.ts';
import { packageImage } from './package-image.ts';
import { parseReference } from './reference.ts';
import { findRuntime } from './runtime.ts';
import { listEntries, type Wanted } from './select.ts';
import { ImageStore, type Strategy } from './store.ts';
import { unpackImage } from './unpack.ts';

let folder: string;
let store: ImageStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'forms-'));
  store = await ImageStore.open(join(folder, 'store'));
});
afterEach(() => rm(folder, { recursive: true }));

const runtimeTargets = [
  { version: '0.17.0', kconfig: { CONFIG_A: '1' }, command: ['/bin/base'], environment: { RUNTIME: 'yes' } },
  { platform: 'fc', version: '0.17.0', kconfig: { CONFIG_B: '1' } },
];
const addRuntime = async () => {
  const { layoutFolder } = await makeImage(folder, 'base', { targets: runtimeTargets });
  await store.addLayout(layoutFolder);
};
const find = (wanted: Wanted) => findRuntime(parseReference('base'), wanted, store);
const firstImage = async (layoutFolder: string, digest: Digest | undefined) =>
  readImage(await Layout.open(layoutFolder), digest ?? expect.fail('no manifest'));

test('an application on a runtime has its layers, KConfig and version, and its own root filesystem last', async () => {
  await addRuntime();
  const kernel = await find({ platform: 'qemu', architecture: 'x86_64' });
  await writeFile(join(folder, 'rootfs'), 'MY ROOTFS');
  const image = await makeImage(folder, 'app', {
    targets: [{ kernel, initrd: join(folder, 'rootfs'), command: ['/app'], environment: { APP: '1' } }],
  });
  const app = await firstImage(image.layoutFolder, image.manifests[0]?.digest);
  const runtime = await readImage(store.layout, kernel.digest);
  expect(app.layers.slice(0, 2)).toEqual(runtime.layers);
  expect(app.manifest.config.platform).toEqual(kernel.entry.platform);
  expect(app.config.config).toMatchObject({ Cmd: ['/app'], Env: ['APP=1'] });
  const unpacked = await unpackImage(await Layout.open(image.layoutFolder), app.digest, join(folder, 'out'));
  expect(await readFile(unpacked.kernel, 'utf8')).toBe('KERNEL\n');
  expect(await readFile(unpacked.initrd ?? '', 'utf8')).toBe('MY ROOTFS');
});

test("the runtime's command holds before that of the root filesystem", async () => {
  await addRuntime();
  const { initrd, ...own } = { initrd: join(folder, 'base.initrd'), rootfsCommand: ['/from-rootfs'] };
  const plan = (kernel: Awaited<ReturnType<typeof find>>) => ({
    reference: 'app',
    toolVersion: '1',
    targets: [{ architecture: 'x86_64', platform: 'qemu', kernel, initrd, ...own }],
  });
  const commandOf = async (wanted: Wanted) => {
    const image = await packageImage(plan(await find(wanted)), join(folder, 'app'));
    return (await firstImage(join(folder, 'app'), image.manifests[0]?.digest)).config.config.Cmd;
  };
  expect(await commandOf({ platform: 'qemu' })).toEqual(['/bin/base']);
  await writeFile(join(folder, 'base.kernel'), 'KERNEL\n');
  const bare = await makeImage(folder, 'base', { targets: [{ command: [] }] });
  await store.addLayout(bare.layoutFolder);
  expect(await commandOf({ platform: 'qemu' })).toEqual(['/from-rootfs']);
});

test('a runtime is chosen by platform and KConfig, and its absence says what there is', async () => {
  await addRuntime();
  expect((await find({ kconfig: ['CONFIG_B=1'] })).entry.platform.os).toBe('fc');
  await expect(find({ platform: 'xen' })).rejects.toMatchObject({
    code: 'PLATFORM_MISSING',
    hint: expect.stringContaining('fc/x86_64, qemu/x86_64') as string,
  });
  // CONFIG_A=10 has CONFIG_A=1 in it; kraft would take it.
  await expect(find({ kconfig: ['CONFIG_A'] })).rejects.toMatchObject({ code: 'PLATFORM_MISSING' });
  await expect(findRuntime(parseReference('none'), {}, store)).rejects.toMatchObject({ code: 'IMAGE_MISSING' });
});

test('the debug kernel is a layer of its own', async () => {
  await writeFile(join(folder, 'debug'), 'DEBUG KERNEL');
  const image = await makeImage(folder, 'app', { targets: [{ debugKernel: join(folder, 'debug') }] });
  const layout = await Layout.open(image.layoutFolder);
  const unpacked = await unpackImage(layout, image.manifests[0]?.digest ?? expect.fail(), join(folder, 'out'));
  expect(await readFile(unpacked.debugKernel ?? '', 'utf8')).toBe('DEBUG KERNEL');
});

test('compressed images unpack to the same files', async () => {
  for (const compression of ['gzip', 'zstd'] as const) {
    const image = await makeImage(folder, compression, { compression });
    const layout = await Layout.open(image.layoutFolder);
    const unpacked = await unpackImage(layout, image.manifests[0]?.digest ?? expect.fail(), join(folder, 'out'));
    expect(await readFile(unpacked.kernel, 'utf8')).toBe('KERNEL\n');
    expect(await readFile(unpacked.initrd ?? '', 'utf8')).toBe('INITRD\n');
  }
});

test('for urunc there is a container with the same layers that kraft does not see', async () => {
  const targets = [
    { platform: 'xen' },
    { version: '0.17.0~abcdef0', command: ['/server', '--name', 'a b'] },
    { platform: 'fc' },
    { platform: 'fc', architecture: 'arm64' },
  ];
  const image = await makeImage(folder, 'app', { urunc: true, targets });
  const layout = await Layout.open(image.layoutFolder);
  const index = decodeIndex(await layout.readBlob(image.digest), 'index');
  const containers = index.manifests.filter((entry) => entry.platform?.os === 'linux');
  expect(containers.map((entry) => entry.platform?.architecture)).toEqual(['amd64', 'arm64']);
  const [container] = containers;
  expect(container?.annotations).not.toHaveProperty('sh.kraftkit.version');
  expect(container?.annotations).toMatchObject({
    'com.urunc.unikernel.hypervisor': 'qemu',
    'com.urunc.unikernel.cmdline': '/server --name "a b"',
    'com.urunc.unikernel.initrd': '/unikraft/bin/initrd',
    'com.urunc.unikernel.unikernelVersion': '0.17.0',
  });
  const unikernel = await readImage(layout, image.manifests[1]?.digest ?? expect.fail());
  const { layers } = await readImage(layout, container?.digest ?? expect.fail());
  expect(layers.slice(0, 2)).toEqual(unikernel.layers);
  const description = await readFile(layout.blobPath(layers[2]?.digest ?? expect.fail()));
  const json = JSON.parse(description.toString('utf8', 512).replace(/\0+$/, '')) as Record<string, string>;
  expect(Buffer.from(json['com.urunc.unikernel.binary'] ?? '', 'base64').toString()).toBe('/unikraft/bin/kernel');
});

test('an image that exists is overwritten, merged with, or in the way', async () => {
  const platformsAfter = async (name: string, targets: Parameters<typeof makeImage>[2], strategy?: Strategy) => {
    const { layoutFolder } = await makeImage(folder, name, { reference: 'app', ...targets });
    const reference = parseReference('app');
    await store.addLayout(layoutFolder, { reference, ...(strategy === undefined ? {} : { strategy }) });
    const entries = await listEntries(store.layout, await store.resolve(reference));
    return entries.map(({ platform }) => `${platform.os}/${platform['os.features']?.join() ?? ''}`);
  };
  const withA = { targets: [{ kconfig: { CONFIG_A: '1' } }] };
  expect(await platformsAfter('one', withA, 'abort')).toEqual(['qemu/CONFIG_A=1']);
  await expect(platformsAfter('two', { kernel: 'OTHER' }, 'abort')).rejects.toMatchObject({ code: 'IMAGE_EXISTS' });
  const fc = { targets: [{ platform: 'fc' }] };
  expect(await platformsAfter('three', fc, 'merge')).toEqual(['fc/', 'qemu/CONFIG_A=1']);
  const changed = { ...withA, kernel: 'CHANGED' };
  expect(await platformsAfter('four', changed, 'merge')).toEqual(['qemu/CONFIG_A=1', 'fc/']);
  expect(await platformsAfter('four', changed, 'merge')).toEqual(['qemu/CONFIG_A=1', 'fc/']);
  const index = decodeIndex((await store.resolve(parseReference('app'))).bytes, 'index');
  for (const { digest, size } of index.manifests) expect(store.layout.sizeOf(digest)).toBe(size);
  expect(await platformsAfter('five', fc)).toEqual(['fc/']);
});
