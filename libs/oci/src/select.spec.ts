import { layerTar } from '@nx-kraft/archive';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Layout } from './layout.ts';
import { mediaTypes } from './media-types.ts';
import type { Descriptor, Platform } from './model.ts';
import { listEntries, selectEntries } from './select.ts';
import { unpackImage } from './unpack.ts';

let folder: string;
let layout: Layout;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'select-'));
  layout = await Layout.create(join(folder, 'oci'));
});
afterEach(() => rm(folder, { recursive: true }));

const put = (document: object, mediaType: string) => layout.writeBlob(Buffer.from(JSON.stringify(document)), mediaType);
const qemu: Platform = { architecture: 'x86_64', os: 'qemu' };

/** A manifest as others may write it: `said` is what it says of its platform itself. */
const putManifest = async (platform: Platform, said: Platform | undefined, layers: readonly Descriptor[] = []) => {
  const rootfs = { type: 'layers', diff_ids: layers.map((layer) => layer.digest) };
  const config = await put({ ...platform, config: { Cmd: null, Labels: null }, rootfs }, mediaTypes.config);
  const described = said === undefined ? config : { ...config, platform: said };
  return put({ schemaVersion: 2, config: described, layers: layers.length === 0 ? null : layers }, mediaTypes.manifest);
};
const putIndex = async (manifests: readonly object[]) => {
  const descriptor = await put({ schemaVersion: 2, manifests }, mediaTypes.index);
  return { descriptor, bytes: await layout.readBlob(descriptor.digest) };
};
const putLayer = async (path: string, content: string) => {
  const { header, trailer } = layerTar(path, content.length, 0o644);
  return layout.writeBlob(Buffer.concat([header, Buffer.from(content), trailer]), mediaTypes.layer);
};

test('a platform is looked for in the index, then in the manifest, then in the configuration', async () => {
  const [fc, xen] = [
    { ...qemu, os: 'fc' },
    { ...qemu, os: 'xen' },
  ];
  const manifests = [
    { ...(await putManifest(xen, fc)), platform: qemu },
    await putManifest(xen, fc),
    await putManifest({ ...xen, 'os.version': '1' }, undefined),
  ];
  const entries = await listEntries(layout, await putIndex(manifests));
  expect(entries.map(({ platform }) => platform.os)).toEqual(['qemu', 'fc', 'xen']);
});

test('a manifest without an index is an image of one platform', async () => {
  const descriptor = await putManifest(qemu, undefined);
  const bytes = await layout.readBlob(descriptor.digest);
  expect(await listEntries(layout, { descriptor, bytes })).toMatchObject([{ platform: qemu }]);
});

test('an index of containers has none for a unikernel, and says what it has', async () => {
  const container = await putManifest({ architecture: 'amd64', os: 'linux' }, undefined);
  const attestation = { 'vnd.docker.reference.type': 'attestation-manifest' };
  const unknown = { architecture: 'unknown', os: 'unknown' };
  const list = await put(
    { schemaVersion: 2, manifests: [container, { ...container, platform: unknown, annotations: attestation }] },
    mediaTypes.dockerIndex,
  );
  const entries = await listEntries(layout, { descriptor: list, bytes: await layout.readBlob(list.digest) });
  expect(() => selectEntries(entries, { platform: 'qemu', architecture: 'x86_64' }, 'alpine')).toThrow(
    expect.objectContaining({ code: 'PLATFORM_MISSING', at: 'alpine', hint: 'It has: linux/amd64.' }),
  );
  expect(selectEntries(entries, { platform: 'linux', architecture: 'x86_64' }, 'alpine')).toHaveLength(1);
  await expect(unpackImage(layout, container.digest, join(folder, 'out'))).rejects.toMatchObject({
    code: 'DOCUMENT_INVALID',
    message: 'the image has no kernel',
  });
});

test('the newest of several manifests of one platform comes first', () => {
  const entry = (created: string) =>
    ({ digest: `sha256:${created}`, platform: qemu, created, annotations: {} }) as const;
  const entries = [entry('2024-01-01T00:00:00Z'), entry('2024-06-01T00:00:00Z'), entry('')];
  expect(selectEntries(entries, {}, 'app').map(({ created }) => created.slice(5, 7))).toEqual(['06', '01', '']);
});

test.each(['../../etc/cron.d/job', 'unikraft/bin/../../../evil'])(
  'a layer that leads out by %s writes nothing',
  async (path) => {
    const kernel = await putLayer('unikraft/bin/kernel', 'KERNEL');
    const hostile = await putLayer(path, 'EVIL');
    const manifest = await putManifest(qemu, qemu, [kernel, hostile]);
    const failing = unpackImage(layout, manifest.digest, join(folder, 'out'));
    await expect(failing).rejects.toMatchObject({ code: 'NAME_UNSAFE' });
    await expect(
      unpackImage(layout, (await putManifest(qemu, qemu, [kernel])).digest, join(folder, 'out')),
    ).resolves.toBeDefined();
  },
);

test('layers and what describes them must fit', async () => {
  const layer = await putLayer('unikraft/bin/kernel', 'KERNEL');
  const unknown = await putManifest(qemu, qemu, [{ ...layer, mediaType: 'application/vnd.helm.chart' }]);
  await expect(unpackImage(layout, unknown.digest, folder)).rejects.toMatchObject({ code: 'DOCUMENT_INVALID' });
  const wrongSize = await putManifest(qemu, qemu, [{ ...layer, size: layer.size - 1 }]);
  await expect(unpackImage(layout, wrongSize.digest, folder)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
});
