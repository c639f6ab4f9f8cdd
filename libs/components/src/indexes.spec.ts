import { lstat, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { noNetwork } from '../test/remotes.ts';
import { type FileServer, makeArchive, serveFiles, sha256 } from '../test/server.ts';
import {
  type ComponentProgress,
  type ComponentRequest,
  fetchComponent,
  openStore,
  resolveComponent,
  type ResolveOptions,
  type Store,
} from './index.ts';
import { findInIndexes } from './indexes.ts';
import { removeTree } from './tree.ts';

let folder: string;
let server: FileServer;
let store: Store;
let archive: Buffer;
let indexes: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'indexes-'));
  server = await serveFiles();
  store = openStore({ folder: join(folder, 'store') });
  archive = await makeArchive([{ name: 'musl-1/Makefile.uk', content: 'all\n' }]);
  indexes = [`${server.url}/index.yaml`];
  server.files.set(
    '/index.yaml',
    'last_updated: 2024-01-01\nmanifests:\n- {name: musl, type: lib, manifest: ./libs/musl.yaml}\n',
  );
  server.files.set('/libs/musl.yaml', manifest({ stable: sha256(archive) }));
  server.files.set('/files/musl.tar.gz', archive);
});
afterEach(async () => {
  await server.close();
  await removeTree(folder);
});

const manifest = (channels: Readonly<Record<string, string>>): string =>
  [
    'name: musl\ntype: lib\norigin: https://github.com/unikraft/lib-musl.git\nchannels:',
    ...Object.entries(channels).map(
      ([name, sum]) =>
        `- name: ${name}\n  default: true\n  latest: 0.10\n  resource: ../files/musl.tar.gz\n  sha256: ${sum}`,
    ),
    'versions:',
    '- version: 0.10\n  resource: https://example.com/musl-0.10.tar.gz\n  type: semver',
    '- version: RELEASE-0.16.0\n  resource: https://github.com/unikraft/lib-musl/archive/refs/tags/RELEASE-0.16.0.tar.gz',
    '- version: fd1abc9257b40a74c69b3a40467a453bf8892439\n  type: gitsha\n  resource: https://github.com/unikraft/lib-musl/archive/fd1abc9257b40a74c69b3a40467a453bf8892439.tar.gz\n',
  ].join('\n');

const resolve = (request: Partial<ComponentRequest> = {}, options: Partial<ResolveOptions> = {}) =>
  resolveComponent(
    { type: 'library', name: 'musl', ...request },
    { baseDirectory: folder, store, indexes, ...options },
  );

const paths = (): string[] => server.requests.map(({ path, status }) => `${status} ${path}`);

test('a name is found through an index and its manifest, checked, unpacked and kept', async () => {
  const resolution = await resolve();
  expect(resolution).toMatchObject({ kind: 'tarball', key: 'lib/musl@stable', sha256: sha256(archive) });
  const { folder: tree } = await fetchComponent(resolution, openStore({ folder: store.folder, network: noNetwork }));
  expect(await readFile(join(tree, 'Makefile.uk'), 'utf8')).toBe('all\n');
  expect((await lstat(join(tree, 'Makefile.uk'))).mode & 0o222).toBe(0);
});

test('the name of a repository is found under the name of the component', async () => {
  expect(await resolve({ name: 'lib-musl' })).toMatchObject({ key: 'lib/lib-musl@stable', sha256: sha256(archive) });
});

test('an index is asked once per process, and answers later processes with 304', async () => {
  await Promise.all(Array.from({ length: 20 }, () => resolve()));
  expect(paths()).toEqual(['200 /index.yaml', '200 /libs/musl.yaml', '200 /files/musl.tar.gz']);
  server.requests.length = 0;
  await resolve({}, { store: openStore({ folder: store.folder }) });
  expect(paths()).toEqual(['304 /index.yaml', '304 /libs/musl.yaml']);
});

test('a wrong checksum of an index is refused and nothing is kept', async () => {
  server.files.set('/libs/musl.yaml', manifest({ stable: '0'.repeat(64) }));
  const url = `${server.url}/files/musl.tar.gz`;
  await expect(resolve()).rejects.toMatchObject({ code: 'COMPONENT_WRONG_CHECKSUM', at: url });
  expect(await readdir(store.folder)).not.toContain('trees');
  expect(await readdir(join(store.folder, 'work'))).toEqual([]);
});

test('versions are text, releases match with and without prefix, GitHub archives are taken from git', async () => {
  const find = (version: string) => findInIndexes({ type: 'library', name: 'musl' }, version, indexes, { store });
  expect(await find('0.10')).toEqual({
    kind: 'tarball',
    url: 'https://example.com/musl-0.10.tar.gz',
    sha256: undefined,
  });
  expect(await find('0.1')).toMatchObject({ kind: 'git', version: '0.1' });
  const release = { kind: 'git', url: 'https://github.com/unikraft/lib-musl.git', version: 'refs/tags/RELEASE-0.16.0' };
  expect(await find('0.16')).toEqual(release);
  expect(await find('v0.16.0')).toEqual(release);
  expect(await find('fd1abc9')).toMatchObject({ version: 'fd1abc9257b40a74c69b3a40467a453bf8892439' });
  expect(await findInIndexes({ type: 'library', name: 'other' }, 'stable', indexes, { store })).toBeUndefined();
});

test('an index that is away or broken is passed over with one warning', async () => {
  server.files.set('/broken.yaml', '<html>parked</html>');
  const told: ComponentProgress[] = [];
  const options = {
    indexes: ['http://127.0.0.1:1/index.yaml', `${server.url}/broken.yaml`, ...indexes],
    onProgress: (progress: ComponentProgress) => void told.push(progress),
  };
  await Promise.all([resolve({}, options), resolve({ version: 'stable' }, options)]);
  expect(told.filter(({ kind }) => kind === 'warning').map(({ message }) => message)).toEqual([
    expect.stringContaining('http://127.0.0.1:1/index.yaml is passed over: it cannot be fetched'),
    expect.stringContaining('broken.yaml is passed over: it is no index'),
  ]);
});

test('an index that has answered before is used when it is away', async () => {
  await resolve();
  server.files.set('/index.yaml', 503);
  server.files.set('/libs/musl.yaml', 503);
  expect(await resolve({}, { store: openStore({ folder: store.folder }) })).toMatchObject({ kind: 'tarball' });
});

test('a local index and a tarball URL work the same', async () => {
  await writeFile(
    join(folder, 'index.yaml'),
    'manifests:\n- name: musl\n  type: lib\n  channels:\n  - {name: stable, resource: ./musl.tgz}\n',
  );
  await writeFile(join(folder, 'musl.tgz'), archive);
  const viaIndex = await resolve({}, { indexes: [join(folder, 'index.yaml')] });
  const direct = await resolve({ source: `${server.url}/files/musl.tar.gz` }, { indexes: [] });
  expect(viaIndex).toMatchObject({ kind: 'tarball', sha256: sha256(archive) });
  expect(direct).toMatchObject({ content: viaIndex.kind === 'tarball' ? viaIndex.content : '' });
});

test('an archive of the workspace is unpacked once, without a lock or a network, and again when it changes', async () => {
  const local = { source: './musl.tgz' };
  const offline = { store: openStore({ folder: store.folder, network: noNetwork }), offline: true, frozen: true };
  const folderOf = async (): Promise<string> => {
    const resolution = await resolve(local, offline);
    expect(resolution).toMatchObject({ kind: 'folder', key: 'lib/musl@./musl.tgz' });
    return (await fetchComponent(resolution, offline.store)).folder;
  };
  await writeFile(join(folder, 'musl.tgz'), archive);
  const first = await folderOf();
  expect(await readFile(join(first, 'Makefile.uk'), 'utf8')).toBe('all\n');
  expect(await folderOf()).toBe(first);
  await writeFile(join(folder, 'musl.tgz'), await makeArchive([{ name: 'musl-1/Makefile.uk', content: 'new\n' }]));
  expect(await readFile(join(await folderOf(), 'Makefile.uk'), 'utf8')).toBe('new\n');
  await writeFile(join(folder, 'musl.tgz'), 'no archive');
  await expect(folderOf()).rejects.toMatchObject({ code: 'COMPONENT_BAD_ARCHIVE' });
  await expect(resolve({ source: './none.tgz' })).rejects.toMatchObject({ code: 'COMPONENT_NOT_FOUND' });
});

test('a tarball that changed is refused when it is locked, and taken when it is not', async () => {
  const source = `${server.url}/files/musl.tar.gz`;
  const locked = await resolve({ source });
  const other = await makeArchive([{ name: 'musl-2/Makefile.uk', content: 'evil\n' }]);
  server.files.set('/files/musl.tar.gz', other);
  const empty = openStore({ folder: join(folder, 'empty') });
  await expect(fetchComponent(locked, empty)).rejects.toMatchObject({ code: 'COMPONENT_WRONG_CHECKSUM', at: source });
  expect(await resolve({ source }, { store: empty })).toMatchObject({ sha256: sha256(other) });
});

test('credentials of a tarball are sent but never told', async () => {
  const source = `${server.url}/files/musl.tar.gz`.replace('//', '//user:s3cret@');
  const resolution = await resolve({ source });
  expect(JSON.stringify(resolution)).not.toContain('s3cret');
  expect(server.requests.at(-1)?.headers.authorization).toBe(`Basic ${Buffer.from('user:s3cret').toString('base64')}`);
  server.files.set('/files/musl.tar.gz', 401);
  const failing = await resolve({ source }, { store: openStore({ folder: join(folder, 'b') }) }).catch(
    (e: unknown) => e,
  );
  expect(failing).toMatchObject({ code: 'COMPONENT_LOGIN' });
  expect(JSON.stringify(failing) + String(failing)).not.toContain('s3cret');
});
