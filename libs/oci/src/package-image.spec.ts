import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decodeConfig, decodeIndex, decodeManifest } from './decode.ts';
import type { Digest } from './digest.ts';
import { Layout } from './layout.ts';
import { packageImage } from './package-image.ts';
import type { PackagePlan, PackageTarget } from './package-plan.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'package-'));
  await writeFile(join(folder, 'kernel'), 'KERNEL\n');
  await writeFile(join(folder, 'initrd'), 'INITRD\n');
});
afterEach(() => rm(folder, { recursive: true }));

const target = (more: Partial<PackageTarget> = {}): PackageTarget => ({
  architecture: 'x86_64',
  platform: 'qemu',
  kernel: join(folder, 'kernel'),
  initrd: join(folder, 'initrd'),
  ...more,
});

const plan = (more: Partial<PackagePlan> = {}): PackagePlan => ({
  reference: 'unikraft.org/app:latest',
  targets: [target()],
  toolVersion: 'v0.9.4',
  ...more,
});

const golden = (): PackagePlan =>
  plan({
    created: Date.UTC(2024, 9, 21) / 1000,
    targets: [
      target({
        version: '0.17.0~0000000',
        kconfig: {
          CONFIG_LIBVFSCORE_AUTOMOUNT_UP: 'y',
          CONFIG_B: '"<x&y>"',
          CONFIG_A: '1',
          CONFIG_C: 'n',
          CONFIG_UK_APP: '"/home/me/app"',
          CONFIG_UK_BASE: '"/home/me/unikraft"',
        },
        command: ['/server', '-p', '80'],
        environment: { A: '1' },
        labels: { k: 'v' },
      }),
    ],
  });

const read = async (layoutFolder: string, digest: Digest) => {
  const layout = await Layout.open(layoutFolder);
  const index = decodeIndex(await layout.readBlob(digest), 'index');
  const [child] = index.manifests;
  if (child === undefined) throw new Error('the index is empty');
  const manifest = decodeManifest(await layout.readBlob(child.digest), 'manifest');
  const config = decodeConfig(await layout.readBlob(manifest.config.digest), 'config');
  return { layout, index, child, manifest, config };
};

test('the golden image has the digests and sizes that Go computes', async () => {
  const layoutFolder = join(folder, 'oci');
  const image = await packageImage(golden(), layoutFolder);
  const { child, manifest, layout } = await read(layoutFolder, image.digest);
  expect([image.digest, layout.sizeOf(image.digest)]).toEqual([
    'sha256:4ac888169dab011e08d2ac2043888ca656ada1ae05c68337f274a621955645ed',
    876,
  ]);
  expect([child.digest, child.size]).toEqual([
    'sha256:3b91652a15c260de632858b5723fa76d50a6864bbd4774110fbafb21649bef8a',
    1162,
  ]);
  expect([manifest.config.digest, manifest.config.size]).toEqual([
    'sha256:9b98703296b2947a065f61cfc4b7d86c3f3df41275a30c0e2cd93d48be09c53c',
    423,
  ]);
  expect(manifest.layers.map((layer) => [layer.digest, layer.size])).toEqual([
    ['sha256:67ca3871fc380b31798fd54e83f58b56cf118f4cac56ae1213bef1be1480d9ac', 2048],
    ['sha256:d22277be62d89a327cb0e003490056fac8914f6d3787633cf3e2fe38f71a53c1', 2048],
  ]);
  expect((await layout.readBlob(manifest.config.digest)).toString()).toBe(
    '{"architecture":"x86_64","os":"qemu","os.version":"0.17.0~0000000",' +
      '"os.features":["CONFIG_A=1","CONFIG_B=\\u003cx\\u0026y\\u003e","CONFIG_LIBVFSCORE_AUTOMOUNT_UP=y"],' +
      '"config":{"Env":["A=1"],"Cmd":["/server","-p","80"],"Labels":{"k":"v"}},' +
      '"rootfs":{"type":"layers","diff_ids":["sha256:67ca3871fc380b31798fd54e83f58b56cf118f4cac56ae1213bef1be1480d9ac",' +
      '"sha256:d22277be62d89a327cb0e003490056fac8914f6d3787633cf3e2fe38f71a53c1"]}}',
  );
});

test('modes, times and the order of maps do not matter', async () => {
  const environment = { B: '2', A: '1', Ä: '3' };
  const labels = { z: '1', 10: '2', a: '3' };
  const first = await packageImage(plan({ targets: [target({ environment, labels })] }), join(folder, 'first'));
  await chmod(join(folder, 'kernel'), 0o700);
  await utimes(join(folder, 'initrd'), 1, 1);
  const turned = (map: Record<string, string>) => Object.fromEntries(Object.entries(map).toReversed());
  const second = await packageImage(
    plan({ targets: [target({ environment: turned(environment), labels: turned(labels) })] }),
    join(folder, 'second'),
  );
  expect(second.digest).toBe(first.digest);
  expect(await readFile(join(folder, 'second/index.json'))).toEqual(await readFile(join(folder, 'first/index.json')));
});

test('two checkouts give the same image', async () => {
  const digests: string[] = [];
  for (const checkout of ['one', 'somewhere/else']) {
    const place = join(folder, checkout);
    await mkdir(place, { recursive: true });
    for (const file of ['kernel', 'initrd']) await copyFile(join(folder, file), join(place, file));
    const files = { kernel: join(place, 'kernel'), initrd: join(place, 'initrd') };
    const image = await packageImage(plan({ targets: [target(files)], urunc: true }), join(place, 'dist/oci'));
    digests.push(image.digest);
  }
  expect(digests[1]).toBe(digests[0]);
});

test('the platform is the same in the index, the manifest and the configuration', async () => {
  const image = await packageImage(golden(), join(folder, 'oci'));
  const { child, manifest, config } = await read(join(folder, 'oci'), image.digest);
  const { architecture, os, 'os.version': version, 'os.features': features } = config;
  expect(child.platform).toEqual({ architecture, os, 'os.version': version, 'os.features': features });
  expect(manifest.config.platform).toEqual(child.platform);
  expect(child.annotations).toEqual(manifest.annotations);
});

test('targets share the layers of equal files, and names are made canonical', async () => {
  const image = await packageImage(
    plan({
      reference: 'app',
      targets: [target(), target({ platform: 'firecracker' }), target({ platform: 'kvm', architecture: 'aarch64' })],
    }),
    join(folder, 'oci'),
  );
  expect(image.reference).toBe('unikraft.org/app:latest');
  expect(image.manifests.map(({ platform }) => `${platform.os}/${platform.architecture}`)).toEqual([
    'qemu/x86_64',
    'fc/x86_64',
    'qemu/arm64',
  ]);
  // Two layers, three configurations, three manifests, one index.
  expect(await readdir(join(folder, 'oci/blobs/sha256'))).toHaveLength(9);
});

test('a root filesystem that is inside the kernel is not packaged again', async () => {
  const kconfig = { CONFIG_LIBVFSCORE_AUTOMOUNT_CI_EINITRD: 'y' };
  const image = await packageImage(plan({ targets: [target({ kconfig })] }), join(folder, 'oci'));
  const { manifest } = await read(join(folder, 'oci'), image.digest);
  expect(manifest.layers).toHaveLength(1);
});

describe.each(['gzip', 'zstd'] as const)('compressed by %s', (compression) => {
  test('layers are named by their compressed bytes and described by their plain ones', async () => {
    const image = await packageImage(plan({ compression }), join(folder, 'oci'));
    const { manifest, config, layout } = await read(join(folder, 'oci'), image.digest);
    const [kernel] = manifest.layers;
    expect(kernel?.mediaType).toBe(`application/vnd.oci.image.layer.v1.tar+${compression}`);
    expect(kernel?.digest).not.toBe(config.rootfs.diff_ids[0]);
    expect(config.rootfs.diff_ids[0]).toBe('sha256:67ca3871fc380b31798fd54e83f58b56cf118f4cac56ae1213bef1be1480d9ac');
    expect((await stat(layout.blobPath(kernel?.digest as Digest))).size).toBe(kernel?.size);
    expect(await packageImage(plan({ compression }), join(folder, 'again'))).toEqual(image);
  });
});

test('packaging again leaves nothing of the older image', async () => {
  await packageImage(plan(), join(folder, 'oci'));
  await writeFile(join(folder, 'kernel'), 'another kernel');
  await packageImage(plan(), join(folder, 'oci'));
  expect(await readdir(join(folder, 'oci/blobs/sha256'))).toHaveLength(5);
  expect((await readdir(folder)).toSorted()).toEqual(['initrd', 'kernel', 'oci']);
});

test('two packages at once on one folder leave one of them whole, and what was killed is cleared away', async () => {
  await mkdir(join(folder, '.oci.999999999.00000000-0000-0000-0000-000000000000.tmp/blobs'), { recursive: true });
  const images = await Promise.all([1, 2, 3, 4].map((created) => packageImage(plan({ created }), join(folder, 'oci'))));
  const layout = await Layout.open(join(folder, 'oci'));
  const [root] = await layout.roots();
  expect(images.map((image) => image.digest)).toContain(root?.digest);
  expect((await read(join(folder, 'oci'), root?.digest ?? expect.fail())).manifest.layers).toHaveLength(2);
  expect((await readdir(folder)).toSorted()).toEqual(['initrd', 'kernel', 'oci']);
});

test('an image that cannot be made leaves the older one', async () => {
  const image = await packageImage(plan(), join(folder, 'oci'));
  const failing = packageImage(plan({ targets: [target({ initrd: join(folder, 'none') })] }), join(folder, 'oci'));
  await expect(failing).rejects.toMatchObject({ code: 'INPUT_MISSING', at: join(folder, 'none') });
  expect((await read(join(folder, 'oci'), image.digest)).manifest.layers).toHaveLength(2);
  expect((await readdir(folder)).toSorted()).toEqual(['initrd', 'kernel', 'oci']);
});

test('plans that make no sense are refused', async () => {
  const output = join(folder, 'oci');
  await expect(packageImage(plan({ targets: [] }), output)).rejects.toMatchObject({ code: 'PACKAGE_INVALID' });
  await expect(packageImage(plan({ targets: [target(), target()] }), output)).rejects.toMatchObject({
    code: 'PACKAGE_INVALID',
    message: expect.stringContaining('qemu/x86_64') as string,
  });
  await expect(packageImage(plan({ created: NaN }), output)).rejects.toMatchObject({ code: 'PACKAGE_INVALID' });
  await expect(packageImage(plan({ reference: 'UPPER:x' }), output)).rejects.toMatchObject({
    code: 'REFERENCE_INVALID',
  });
  await mkdir(output);
  await expect(Layout.open(output)).rejects.toMatchObject({ code: 'LAYOUT_INVALID' });
});

test('an image has all its tags in the layout, each once', async () => {
  const layoutFolder = join(folder, 'tagged');
  await packageImage({ ...golden(), tags: ['1.2', 'latest', '1.2'] }, layoutFolder);
  const roots = await (await Layout.open(layoutFolder)).roots();
  expect(roots.map(({ annotations }) => Object.values(annotations ?? {}))).toEqual([
    ['unikraft.org/app:latest', 'latest'],
    ['unikraft.org/app:1.2', '1.2'],
  ]);
  expect(new Set(roots.map(({ digest }) => digest)).size).toBe(1);
  await expect(packageImage({ ...golden(), tags: ['no tag'] }, layoutFolder)).rejects.toMatchObject({
    code: 'REFERENCE_INVALID',
  });
});
