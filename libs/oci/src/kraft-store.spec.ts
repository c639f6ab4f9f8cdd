import { mkdir, mkdtemp, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeImage } from '../test/images.ts';
import { listKraftStore, listStore } from './catalog.ts';
import { decodeConfig, decodeIndex, decodeManifest } from './decode.ts';
import { digestOf, hexOf } from './digest.ts';
import { encodeConfig, encodeIndex, encodeManifest } from './encode.ts';
import { KraftStore } from './kraft-store.ts';
import { Layout } from './layout.ts';
import { formatReference, parseReference } from './reference.ts';
import { listEntries, selectEntries } from './select.ts';
import { ImageStore } from './store.ts';
import { unpackImage } from './unpack.ts';

let folder: string;
let kraft: KraftStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kraft-'));
  kraft = new KraftStore(join(folder, 'runtime/oci'));
});
afterEach(() => rm(folder, { recursive: true }));

const put = async (name: string, reference: string, options?: Parameters<typeof makeImage>[2]) => {
  const image = await makeImage(folder, name, options);
  const layout = await Layout.open(image.layoutFolder);
  const [descriptor] = await layout.roots();
  const root = { descriptor: descriptor ?? expect.fail(), bytes: await layout.readBlob(image.digest) };
  await kraft.add(layout, root, await listEntries(layout, root), parseReference(reference));
  return { ...image, layout, root };
};
const names = async () => (await kraft.images()).map((image) => formatReference(image.reference));

test('what we put in is where kraft looks, and in the bytes that it would write itself', async () => {
  const { digest } = await put('app', 'unikraft.org/app:1.0', { targets: [{ kconfig: { CONFIG_A: '<1>' } }] });
  const link = await readlink(join(folder, 'runtime/oci/indexes/unikraft.org/app/1.0'));
  expect(isAbsolute(link)).toBe(true);
  expect(link).toBe(join(folder, 'runtime/oci/digests/sha256', hexOf(digest)));
  const [image] = await kraft.images();
  const index = decodeIndex(image?.bytes ?? expect.fail(), 'index');
  expect(encodeIndex(index)).toEqual(image?.bytes);
  expect(index.annotations).toHaveProperty('sh.kraftkit.version');
  for (const child of index.manifests) {
    expect(child.annotations).toHaveProperty('sh.kraftkit.version');
    const bytes = await kraft.readManifest(child.digest);
    const manifest = decodeManifest(bytes, 'manifest');
    expect(encodeManifest(manifest)).toEqual(bytes);
    const config = await kraft.readBlob(manifest.config.digest);
    expect(encodeConfig(decodeConfig(config, 'config'))).toEqual(config);
  }
});

test('images are found again, also by the names that kraft makes of them', async () => {
  await put('a', 'unikraft.org/a:1', { reference: 'unikraft.org/a:1' });
  await put('b', 'localhost:5000/b:1', { reference: 'localhost:5000/b:1' });
  expect(await names()).toEqual(['localhost:5000/b:1', 'unikraft.org/a:1']);
  // kraft keeps unqualified names as they were typed.
  const target = await readlink(join(folder, 'runtime/oci/indexes/unikraft.org/a/1'));
  await mkdir(join(folder, 'runtime/oci/indexes/bare'));
  await symlink(target, join(folder, 'runtime/oci/indexes/bare/latest'));
  expect((await kraft.find(parseReference('bare')))?.descriptor.digest).toBeDefined();
});

test('wrong sizes, several manifests of one platform and lying names do no harm', async () => {
  const older = await put('older', 'unikraft.org/app:1', { created: 1, kernel: 'OLD' });
  const newer = await put('newer', 'unikraft.org/app:1', { created: 2, kernel: 'NEW' });
  const manifests = [older, newer].flatMap(({ root }) =>
    decodeIndex(root.bytes, 'index').manifests.map((child) => ({ ...child, size: 32 })),
  );
  const bytes = encodeIndex({ schemaVersion: 2, manifests });
  // Written through the link, into a file that has another digest's name.
  await writeFile(join(folder, 'runtime/oci/indexes/unikraft.org/app/1'), bytes);
  const image = (await kraft.find(parseReference('app:1'))) ?? expect.fail();
  expect(image.descriptor.digest).toBe(digestOf(bytes));
  const [entry] = selectEntries(await listEntries(kraft, image), { platform: 'qemu' }, 'app');
  const { kernel } = await unpackImage(kraft, entry?.digest ?? expect.fail(), join(folder, 'out'));
  expect(kernel).toBe(join(folder, 'out/kernel'));
  expect(entry?.created).toBe('1970-01-01T00:00:02Z');

  const store = await ImageStore.open(join(folder, 'store'));
  await store.add(kraft, image, image.reference);
  expect((await listStore(store)).map(({ isPulled }) => isPulled)).toEqual([true, true]);
  expect(await listKraftStore(kraft)).toEqual(await listStore(store));
  expect(store.layout.sizeOf(entry?.digest ?? expect.fail())).toBeGreaterThan(32);
});

test('a configuration under the digest of another is noticed', async () => {
  const { layout, manifests } = await put('app', 'unikraft.org/app:1');
  const digest = manifests[0]?.digest ?? expect.fail();
  const { config } = decodeManifest(await layout.readManifest(digest), 'manifest');
  await writeFile(kraft.blobPath(config.digest), '{"architecture":"arm64","os":"fc"}');
  await expect(unpackImage(kraft, digest, join(folder, 'out'))).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
});

test('an empty or missing store has no images, and what cannot be read is passed over', async () => {
  expect(await names()).toEqual([]);
  await mkdir(join(folder, 'runtime/oci/indexes/x'), { recursive: true });
  await symlink('/nowhere', join(folder, 'runtime/oci/indexes/x/broken'));
  expect(await names()).toEqual([]);
});
