import { chmod, mkdir, mkdtemp, readdir, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { noNetwork } from '../test/remotes.ts';
import { type FileServer, makeArchive, serveFiles } from '../test/server.ts';
import {
  fetchComponent,
  formatStore,
  hashTree,
  listStore,
  type LockedComponent,
  openStore,
  pruneStore,
  registerLock,
  type RemoteResolution,
  resolveComponent,
  type Store,
  verifyStore,
  writeLock,
} from './index.ts';
import { remember } from './store.ts';
import { removeTree } from './tree.ts';
import { noteDownload } from './upstream-notes.ts';

let folder: string;
let server: FileServer;
let store: Store;
let musl: RemoteResolution;
let lwip: RemoteResolution;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'store-'));
  server = await serveFiles();
  store = openStore({ folder: join(folder, 'store') });
  [musl, lwip] = [await resolve('musl'), await resolve('lwip')];
});
afterEach(async () => {
  await server.close();
  await removeTree(folder);
});

async function resolve(name: string): Promise<RemoteResolution> {
  server.files.set(`/${name}.tar.gz`, await makeArchive([{ name: `top/${name}.c`, content: name.repeat(400) }]));
  const request = { type: 'library', name, source: `${server.url}/${name}.tar.gz` } as const;
  const resolution = await resolveComponent(request, { store, baseDirectory: folder });
  if (resolution.kind === 'folder') throw new Error('a folder');
  return resolution;
}

async function lock(...components: readonly LockedComponent[]): Promise<string> {
  const path = join(folder, 'kraft.lock');
  await writeLock(path, { components: Object.fromEntries(components.map((one) => [one.key, one])), images: {} });
  await registerLock(store, path);
  return path;
}

const tomorrow = { now: new Date(Date.now() + 86_400_000) };

test('the store tells what it has, how large it is and who needs it', async () => {
  const path = await lock(musl);
  expect(await listStore(store)).toMatchObject(
    [
      { kind: 'tree', digest: musl.content, names: [musl.key], size: 1600, lockFiles: [path] },
      { kind: 'tree', digest: lwip.content, names: [lwip.key], size: 1600, lockFiles: [] },
    ].toSorted((a, b) => (a.digest < b.digest ? -1 : 1)),
  );
  expect(formatStore(await listStore(store))).toMatch(
    /1\.6 KiB .* 1 lock +lib\/musl@.*\n(.*\n)*2 entries, 3\.1 KiB\n$/,
  );
  expect(await listStore(openStore({ folder: join(folder, 'none') }))).toEqual([]);
});

test('pruning keeps what a lock needs and what was used just now', async () => {
  await lock(musl);
  expect(await pruneStore(store)).toEqual([]);
  expect((await pruneStore(store, tomorrow)).map(({ digest }) => digest)).toEqual([lwip.content]);
  await fetchComponent(musl, openStore({ folder: store.folder, network: noNetwork }), { offline: true });
  await expect(fetchComponent(lwip, store, { offline: true })).rejects.toMatchObject({ code: 'COMPONENT_OFFLINE' });
  await fetchComponent(lwip, store);
});

test('a lock that is gone needs nothing; one that cannot be read stops the pruning', async () => {
  const path = await lock(musl);
  await writeFile(path, '<<<<<<< HEAD');
  await expect(pruneStore(store, tomorrow)).rejects.toMatchObject({ code: 'COMPONENT_BAD_LOCK', at: path });
  expect(await readdir(join(store.folder, 'trees'))).toHaveLength(2);
  await removeTree(path);
  expect(await pruneStore(store, tomorrow)).toHaveLength(2);
  expect(await readdir(join(store.folder, 'locks'))).toEqual([]);
});

test('upstream archives and repositories of a locked library are kept with it', async () => {
  await mkdir(join(store.folder, 'files'));
  for (const digit of ['a', 'b', 'c']) await writeFile(join(store.folder, 'files', digit.repeat(64)), digit);
  await noteDownload(store, musl.content, 'https://example.com/a.zip', { pin: 'a'.repeat(64), checked: true });
  await remember(store, 'revisions', 'd'.repeat(40), lwip.content);
  const cloned = { 'https://example.com/lwip.git#v1': 'd'.repeat(40) };
  await lock({ ...musl, downloads: { 'https://example.com/b.zip': 'b'.repeat(64), ...cloned } });
  await pruneStore(store, tomorrow);
  expect(await readdir(join(store.folder, 'files'))).toEqual(['a'.repeat(64), 'b'.repeat(64)]);
  expect(await readdir(join(store.folder, 'trees'))).toHaveLength(2);
});

test('what a killed process left goes, what a living one works on stays', async () => {
  const work = join(store.folder, 'work');
  for (const name of ['999999999.dead', `${process.pid}.alive`]) {
    await mkdir(join(work, name, 'tree'), { recursive: true });
    await chmod(join(work, name, 'tree'), 0o555);
    await utimes(join(work, name), 1, 1);
  }
  await pruneStore(store);
  expect(await readdir(work)).toEqual([`${process.pid}.alive`]);
});

test('a damaged tree is found and removed, and fetched again', async () => {
  const { folder: tree } = await fetchComponent(musl, store);
  await chmod(join(tree, 'musl.c'), 0o644);
  await writeFile(join(tree, 'musl.c'), '');
  expect((await verifyStore(store)).map(({ digest }) => digest)).toEqual([musl.content]);
  expect(await fetchComponent(musl, store)).toMatchObject({ folder: tree, digest: musl.content });
  expect(await verifyStore(store)).toEqual([]);
});

test('a tree that a power cut damaged is noticed at its first use after the start, and fetched again', async () => {
  const { folder: tree } = await fetchComponent(musl, store);
  await chmod(join(tree, 'musl.c'), 0o644);
  await writeFile(join(tree, 'musl.c'), '');
  await remember(store, 'checked', musl.content, 'an earlier start');
  const later = openStore({ folder: store.folder });
  await Promise.all([fetchComponent(musl, later), fetchComponent(musl, later)]);
  expect(await hashTree(tree)).toBe(musl.content);
});

test('archives that a library fetches itself are part of what a build can see', async () => {
  const fetchWith = (sha256: string) =>
    fetchComponent({ ...musl, downloads: { 'https://example.com/a.zip': sha256 } }, store);
  const [one, two] = [await fetchWith('a'.repeat(64)), await fetchWith('b'.repeat(64))];
  expect(one.folder).toBe(two.folder);
  expect(new Set([one.digest, two.digest, musl.content]).size).toBe(3);
});
