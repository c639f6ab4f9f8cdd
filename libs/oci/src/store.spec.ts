import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeImage } from '../test/images.ts';
import { type Digest, hexOf } from './digest.ts';
import { formatReference, parseReference, type Reference } from './reference.ts';
import { listEntries } from './select.ts';
import { archiveLayout, ImageStore } from './store.ts';

let folder: string;
let store: ImageStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'store-'));
  store = await ImageStore.open(join(folder, 'store'));
});
afterEach(() => rm(folder, { recursive: true }));

const add = async (name: string, options?: Parameters<typeof makeImage>[2]) => {
  const image = await makeImage(folder, name, options);
  await store.addLayout(image.layoutFolder);
  return image;
};
const names = async () => (await store.images()).map(({ reference }) => `${reference.repository}:${reference.tag}`);
const count = async () => (await store.layout.blobFiles()).length;

test('images are listed, found, tagged and removed by name or digest', async () => {
  const b = await add('b');
  await add('a');
  expect(await names()).toEqual(['a:latest', 'b:latest']);
  await store.tag(parseReference('b'), parseReference('b:2'));
  expect((await store.find(parseReference(`b@${b.digest}`)))?.digest).toBe(b.digest);
  expect((await store.find(parseReference('b:2')))?.digest).toBe(b.digest);
  await store.remove(parseReference('b:2'));
  expect(await names()).toEqual(['a:latest', 'b:latest']);
  await store.tag(parseReference('b'), parseReference('b:3'));
  await store.remove(parseReference(`b@${b.digest}`));
  expect(await names()).toEqual(['a:latest']);
  await expect(store.remove(parseReference('b'))).rejects.toMatchObject({ code: 'IMAGE_MISSING' });
});

test('prune leaves what another image needs, and what is young', async () => {
  await add('a');
  await add('b');
  // Each has an index, a manifest and a configuration of its own; equal layers are shared, and so is the configuration.
  const before = await count();
  await store.remove(parseReference('a'));
  expect(await store.prune()).toEqual({ blobs: 0, bytes: 0 });
  expect(await store.prune(-1)).toMatchObject({ blobs: 2 });
  expect(await count()).toBe(before - 2);
  await store.exportArchive([parseReference('b')], join(folder, 'b.oci.tar'));
  await store.remove(parseReference('b'));
  await store.prune(-1);
  expect(await count()).toBe(0);
});

test('prune takes nothing away when a named image is damaged', async () => {
  const { digest } = await add('a');
  await writeFile(store.layout.blobPath(digest), '{}');
  const before = await count();
  await expect(store.prune(-1)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  expect(await count()).toBe(before);
});

test('prune removes what killed processes left', async () => {
  await add('a');
  await writeFile(join(store.layout.folder, 'blobs/sha256/.123.tmp'), 'half');
  expect(await store.prune(-1)).toEqual({ blobs: 1, bytes: 4 });
});

test('many processes can name images at once', async () => {
  const { digest } = await add('a');
  const versions = Array.from({ length: 20 }, (_, version) => parseReference(`a:${version}`));
  await Promise.all(versions.map((version) => store.tag(parseReference('a'), version)));
  expect(await names()).toHaveLength(21);
  expect(new Set((await store.images()).map(({ descriptor }) => descriptor.digest))).toEqual(new Set([digest]));
});

test('an archive gives the same images in another store, and the same bytes again', async () => {
  const a = await add('a');
  await add('b');
  const path = join(folder, 'two.oci.tar');
  await store.exportArchive([parseReference('a'), parseReference('b')], path);
  const other = await ImageStore.open(join(folder, 'other'));
  await other.importArchive(path);
  expect((await other.images()).map(({ reference }) => reference.repository)).toEqual(['a', 'b']);
  expect((await other.find(parseReference('a')))?.digest).toBe(a.digest);
  await other.exportArchive([parseReference('a'), parseReference('b')], join(folder, 'again.oci.tar'));
  expect(await readFile(join(folder, 'again.oci.tar'))).toEqual(await readFile(path));
});

test('a package becomes an archive', async () => {
  const { layoutFolder, digest } = await makeImage(folder, 'a');
  await archiveLayout(layoutFolder, join(folder, 'a.oci.tar'));
  const [image] = await store.importArchive(join(folder, 'a.oci.tar'), { reference: parseReference('renamed:1') });
  expect(image?.descriptor.digest).toBe(digest);
  expect(await names()).toEqual(['renamed:1']);
});

test('an archive overwrites what has its names, is merged with it, or changes nothing', async () => {
  const a = await add('a', { targets: [{ platform: 'fc' }] });
  const b = await add('b');
  const path = join(folder, 'two.oci.tar');
  await store.exportArchive([parseReference('b'), parseReference('a')], path);
  const other = await ImageStore.open(join(folder, 'other'));
  const own = await makeImage(folder, 'own', { reference: 'unikraft.org/a:latest', kernel: 'OTHER' });
  await other.addLayout(own.layoutFolder);
  const found = async () => (await other.images()).map(({ descriptor }) => descriptor.digest);

  await expect(other.importArchive(path, { strategy: 'abort' })).rejects.toMatchObject({ code: 'IMAGE_EXISTS' });
  expect(await found()).toEqual([own.digest]);
  const asked: string[] = [];
  const ask = (name: Reference, digest: Digest) => {
    asked.push(`${formatReference(name)}@${digest}`);
    return Promise.resolve('merge' as const);
  };
  const merged = (await other.importArchive(path, { strategy: ask })).at(-1)?.descriptor.digest;
  expect(asked).toEqual([`unikraft.org/b:latest@${b.digest}`, `unikraft.org/a:latest@${a.digest}`]);
  expect(await found()).toEqual([merged, b.digest]);
  const root = await other.resolve(parseReference('a'));
  expect((await listEntries(other.layout, root)).map(({ platform }) => platform.os)).toEqual(['fc', 'qemu']);
  // The same once more is in nobody's way.
  await other.importArchive(path);
  await other.importArchive(path, { strategy: 'abort' });
  expect(await found()).toEqual([a.digest, b.digest]);
});

test('archives that lie are refused, and leave nothing behind', async () => {
  const { layoutFolder, manifests } = await makeImage(folder, 'a');
  const path = join(folder, 'a.oci.tar');
  await archiveLayout(layoutFolder, path);
  const bytes = await readFile(path);
  const manifest = bytes.indexOf(`blobs/sha256/${hexOf(manifests[0]?.digest ?? expect.fail('no manifest'))}`);
  bytes.writeUInt8(33, manifest + 600);
  await writeFile(path, bytes);
  await expect(store.importArchive(path)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  await writeFile(path, bytes.subarray(0, 2000));
  await expect(store.importArchive(path)).rejects.toMatchObject({ code: 'ARCHIVE_TRUNCATED' });
  await writeFile(path, Buffer.alloc(1024));
  await expect(store.importArchive(path)).rejects.toMatchObject({ code: 'LAYOUT_INVALID' });
  expect(await store.images()).toEqual([]);
  expect((await store.layout.blobFiles()).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});
