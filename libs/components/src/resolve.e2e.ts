import { spawn } from 'node:child_process';
import { once as event } from 'node:events';
import { chmod, lstat, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createRemote, noNetwork, recordingNetwork, type Remote, writeFiles } from '../test/remotes.ts';
import {
  type ComponentProgress,
  compareLocks,
  type ComponentRequest,
  describeComponent,
  fetchComponent,
  formatLockChanges,
  type GitResolution,
  hashTree,
  openStore,
  resolveComponent,
  type ResolveOptions,
  type Store,
  updateLock,
} from './index.ts';
import { makeArchive, serveFiles } from '../test/server.ts';
import { removeTree } from './tree.ts';

let folder: string;
let remote: Remote;
let first: string;
let store: Store;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'components-'));
  remote = await createRemote(join(folder, 'remotes/lib-musl.git'));
  first = await remote.commit({ 'Makefile.uk': 'one\n', 'src/a.c': 'int a;\n' });
  await remote.git('tag', '--annotate', '--message=release', 'RELEASE-0.17.0');
  store = openStore({ folder: join(folder, 'store'), network: recordingNetwork(join(folder, 'remotes')) });
});
afterEach(() => removeTree(folder));

const resolve = (request: Partial<ComponentRequest>, options: Partial<ResolveOptions> = {}) =>
  resolveComponent(
    { type: 'library', name: 'musl', ...request },
    { baseDirectory: folder, store, indexes: [], ...options },
  );

async function resolveGit(version: string | undefined, options: Partial<ResolveOptions> = {}): Promise<GitResolution> {
  const resolution = await resolve({ source: remote.url, version }, options);
  if (resolution.kind !== 'git') throw new Error(resolution.kind);
  return resolution;
}

test('a branch, a tag, a release, a commit, its beginning and the default branch are found', async () => {
  const second = await remote.commit({ 'Makefile.uk': 'two\n' });
  expect(await resolveGit('stable')).toMatchObject({ revision: second, ref: 'refs/heads/stable', url: remote.url });
  expect(await resolveGit('RELEASE-0.17.0')).toMatchObject({ revision: first, ref: 'refs/tags/RELEASE-0.17.0' });
  for (const version of ['0.17', '0.17.0', 'v0.17.0', first, first.slice(0, 7)]) {
    expect(await resolveGit(version)).toMatchObject({ revision: first });
  }
  expect(await resolveGit(undefined)).toMatchObject({ revision: second, ref: 'HEAD' });
});

test('a bare name without an index is the repository of that name, at its channel', async () => {
  const resolution = await resolve({});
  expect(resolution).toMatchObject({
    key: 'lib/musl@stable',
    url: 'https://github.com/unikraft/lib-musl.git',
    revision: first,
  });
  const fetched = await fetchComponent(resolution, store);
  expect(await readFile(join(fetched.folder, 'Makefile.uk'), 'utf8')).toBe('one\n');
  expect(fetched).toMatchObject({ revision: first, digest: await hashTree(fetched.folder) });
});

test('a source in the store is read-only and has no .git', async () => {
  const { folder: tree } = await fetchComponent(await resolveGit('stable'), store);
  expect((await readdir(tree)).toSorted()).toEqual(['Makefile.uk', 'src']);
  for (const path of ['', 'Makefile.uk', 'src', 'src/a.c']) {
    expect((await lstat(join(tree, path))).mode & 0o222, path).toBe(0);
  }
  expect(await readdir(join(store.folder, 'work'))).toEqual([]);
});

test('the content hash tells no umask, path, time or setting of git, but tells modes, links and contents', async () => {
  await writeFiles(remote.folder, { 'run.sh': 'run\r\n', '.gitattributes': '*.txt text\n', 'x.txt': 'a\nb\n' });
  await chmod(join(remote.folder, 'run.sh'), 0o755);
  await symlink('run.sh', join(remote.folder, 'link'));
  await remote.commit({});
  const { content } = await resolveGit('stable');

  const other = openStore({ folder: join(folder, 'other/store') });
  await writeFile(join(folder, 'gitconfig'), '[core]\n autocrlf = true\n symlinks = false\n');
  process.env.GIT_CONFIG_GLOBAL = join(folder, 'gitconfig');
  const umask = process.umask(0o077);
  try {
    expect(await resolveGit('stable', { store: other })).toMatchObject({ content });
  } finally {
    process.umask(umask);
    delete process.env.GIT_CONFIG_GLOBAL;
  }
  await chmod(join(remote.folder, 'run.sh'), 0o644);
  await remote.commit({});
  expect((await resolveGit('stable', { store: openStore({ folder: other.folder }) })).content).not.toBe(content);
});

test('submodules are part of the source', async () => {
  const module = await createRemote(join(folder, 'remotes/inner'));
  await module.commit({ 'inner.c': 'int inner;\n' });
  await remote.git('-c', 'protocol.file.allow=always', 'submodule', 'add', '--quiet', '../inner', 'vendor/inner');
  await remote.git('config', '--file', '.gitmodules', 'submodule.vendor/inner.url', '../inner');
  await remote.commit({});
  const { folder: tree } = await fetchComponent(await resolveGit('stable'), store);
  expect(await readFile(join(tree, 'vendor/inner/inner.c'), 'utf8')).toBe('int inner;\n');
});

test('a locked component needs no network and stays when its branch moves or its tag is replaced', async () => {
  const locked = await resolveGit('stable');
  const lock = { components: { [locked.key]: locked }, images: {} };
  await remote.commit({ 'Makefile.uk': 'two\n' });
  const silent = openStore({ folder: store.folder, network: noNetwork });
  const again = await resolveGit('stable', { store: silent, lock, offline: true, frozen: true });
  expect(again).toEqual(locked);
  const { folder: tree } = await fetchComponent(again, silent, { offline: true });
  expect(await readFile(join(tree, 'Makefile.uk'), 'utf8')).toBe('one\n');
});

test('without a lock entry a build resolves, says so once, and remembers it for work without a network', async () => {
  const told: ComponentProgress[] = [];
  const onProgress = (progress: ComponentProgress) => void told.push(progress);
  const resolution = await resolveGit('stable', { onProgress });
  await resolveGit('stable', { onProgress });
  expect(told.filter(({ kind }) => kind === 'unlocked')).toHaveLength(1);
  const silent = openStore({ folder: store.folder, network: noNetwork });
  expect(await resolveGit('stable', { store: silent, offline: true })).toEqual(resolution);
});

test('what is missing is named, with the command that gets it, when the network or the lock must stay', async () => {
  const options = { store: openStore({ folder: join(folder, 'empty'), network: noNetwork }) };
  await expect(resolve({ version: '0.17' }, { ...options, offline: true })).rejects.toMatchObject({
    code: 'COMPONENT_OFFLINE',
    hint: 'With a network, get it with: nx-kraft pkg pull lib/musl@0.17',
  });
  const locked = await resolveGit('stable');
  await expect(fetchComponent(locked, options.store, { offline: true })).rejects.toMatchObject({
    code: 'COMPONENT_OFFLINE',
  });
  await expect(resolve({}, { ...options, frozen: true })).rejects.toMatchObject({ code: 'COMPONENT_NOT_LOCKED' });
});

test('a local folder is used in place', async () => {
  await writeFiles(folder, { 'app/libs/mine/Makefile.uk': '' });
  const baseDirectory = join(folder, 'app');
  const resolution = await resolve({ source: './libs/mine' }, { baseDirectory });
  expect(await fetchComponent(resolution, store)).toEqual({ folder: join(folder, 'app/libs/mine') });
  const missing = resolve({ source: 'libs/other' }, { baseDirectory });
  await expect(missing).rejects.toMatchObject({ code: 'COMPONENT_NOT_FOUND', at: join(folder, 'app/libs/other') });
});

test('a content that is not the locked one is refused', async () => {
  const locked = { ...(await resolveGit('stable')), content: `sha256:${'0'.repeat(64)}` };
  const empty = openStore({ folder: join(folder, 'empty') });
  for (const place of [store, empty]) {
    await expect(fetchComponent(locked, place)).rejects.toMatchObject({
      code: 'COMPONENT_WRONG_CHECKSUM',
      at: remote.url,
    });
  }
  expect(await readdir(join(empty.folder, 'work'))).toEqual([]);
});

test('a missing version, commit or repository is told as that', async () => {
  await expect(resolveGit('no-such')).rejects.toMatchObject({ code: 'COMPONENT_NO_REVISION', at: remote.url });
  await expect(resolveGit('0'.repeat(40))).rejects.toMatchObject({ code: 'COMPONENT_NO_REVISION', at: remote.url });
  await expect(resolve({ name: 'nothing' })).rejects.toMatchObject({ code: 'COMPONENT_NOT_FOUND' });
});

test('credentials of a URL are used but never told', async () => {
  const url = 'http://user:s3cret@127.0.0.1:1/lib.git';
  const failing = resolve({ source: url, version: 'main' });
  await expect(failing).rejects.toMatchObject({ code: 'COMPONENT_UNREACHABLE', at: 'http://127.0.0.1:1/lib.git' });
  const error = await failing.catch((reason: unknown) => reason);
  expect(JSON.stringify(error) + String(error) + (error as Error).stack).not.toContain('s3cret');
});

test('many requests for one thing ask and fetch once', async () => {
  const network = recordingNetwork(join(folder, 'remotes'));
  const shared = openStore({ folder: join(folder, 'shared'), network });
  await Promise.all(Array.from({ length: 50 }, () => resolveGit('stable', { store: shared })));
  expect(network.calls.filter((call) => call.includes('ls-remote'))).toHaveLength(1);
  expect(network.calls.filter((call) => call.includes('fetch'))).toHaveLength(1);
});

const child = (place: string, source = { source: remote.url, version: 'stable' as string | undefined }) =>
  spawn(process.execPath, [
    '--input-type=module-typescript',
    '--eval',
    `import { openStore, resolveComponent, fetchComponent } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))};
     const store = openStore({ folder: ${JSON.stringify(place)} });
     const request = { type: 'library', name: 'musl', ...${JSON.stringify(source)} };
     const resolution = await resolveComponent(request, { store, baseDirectory: '/', onProgress: ({ kind }) => console.log(kind) });
     console.log((await fetchComponent(resolution, store)).digest);`,
  ]);

async function output(process: ReturnType<typeof child>): Promise<string[]> {
  let text = '';
  process.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  process.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await event(process, 'close');
  return text.trim().split('\n');
}

test('processes that want the same thing at once fetch it once', async () => {
  const place = join(folder, 'parallel');
  const outputs = await Promise.all(Array.from({ length: 4 }, () => output(child(place))));
  const { content } = await resolveGit('stable');
  for (const lines of outputs) expect(lines.at(-1)).toBe(content);
  expect(outputs.flat().filter((line) => line === 'fetching')).toHaveLength(1);
  expect(await readdir(join(place, 'trees'))).toEqual([content.replace(':', '-')]);
});

/** What is in a folder, which may not be there. */
const list = (path: string): Promise<readonly string[]> => readdir(path).catch(() => []);

const manySources = Object.fromEntries(
  Array.from({ length: 2000 }, (_, i) => [`src/${i}.c`, `int x${i};\n`.repeat(50)]),
);

/** Kills processes that fetch, each after it has told that it begins and some milliseconds more. */
async function killFetching(place: string, whole: string, source?: Parameters<typeof child>[1]): Promise<void> {
  for (const delay of [0, 40, 80, 120, 200]) {
    const victim = child(place, source);
    await event(victim.stdout, 'data');
    await new Promise((after) => setTimeout(after, delay));
    victim.kill('SIGKILL');
    await event(victim, 'close');
    const trees = await list(join(place, 'trees'));
    for (const tree of trees) expect(await hashTree(join(place, 'trees', tree))).toBe(whole);
  }
  expect((await output(child(place, source))).at(-1)).toBe(whole);
}

test('a process that is killed in the middle of a clone leaves nothing that is used', async () => {
  await remote.commit(manySources);
  await killFetching(join(folder, 'killed'), (await resolveGit('stable')).content);
});

test('a process that is killed while it downloads or unpacks a tarball leaves nothing that is used', async () => {
  const entries = Object.entries(manySources).map(([name, content]) => ({ name: `top/${name}`, content }));
  const archive = await makeArchive(entries);
  const server = await serveFiles();
  try {
    server.files.set('/musl.tar.gz', archive);
    const source = { source: `${server.url}/musl.tar.gz`, version: undefined };
    const whole = await resolve(source);
    if (whole.kind !== 'tarball') throw new Error(whole.kind);
    const place = join(folder, 'killed');

    const half = server.stallAfter('/musl.tar.gz', archive.length / 2);
    const victim = child(place, source);
    await half;
    victim.kill('SIGKILL');
    await event(victim, 'close');
    expect(await readdir(join(place, 'work'))).toHaveLength(1);
    for (const kind of ['trees', 'archives', 'downloads']) expect(await list(join(place, kind)), kind).toEqual([]);

    await killFetching(place, whole.content, source);
  } finally {
    await server.close();
  }
});

test('git never gets to ask a question or to read an option out of a name', async () => {
  for (const source of ['--upload-pack=touch x', '-x', 'ext::sh -c x', 'ssh://-oProxyCommand=x/y', 'a\nb']) {
    await expect(resolve({ source }), source).rejects.toMatchObject({ code: 'COMPONENT_BAD_NAME' });
  }
  for (const version of ['--upload-pack=x', '-d', 'a:b', 'a..b', '+x', 'x^{}', 'a b']) {
    await expect(resolve({ source: remote.url, version }), version).rejects.toMatchObject({
      code: 'COMPONENT_BAD_NAME',
    });
  }
});

test('a repository tells its channels and releases when no index knows it', async () => {
  await remote.git('branch', 'zeta');
  await remote.git('branch', 'staging');
  await remote.git('tag', 'RELEASE-0.9.0');
  const info = await describeComponent({ type: 'library', name: 'musl' }, { store, indexes: [] });
  expect(info).toMatchObject({
    channels: [{ name: 'stable' }, { name: 'staging' }, { name: 'zeta' }],
    versions: ['0.17.0', '0.9.0'],
    origin: 'https://github.com/unikraft/lib-musl.git',
  });
});

test('a tag that was moved is told as that when the lock is updated', async () => {
  const components = [{ request: { type: 'library', name: 'musl', version: '0.17' }, baseDirectory: folder } as const];
  const options = { store, indexes: [], resolveDigest: () => Promise.reject(new Error('no image')) };
  const before = await updateLock(undefined, { components, images: [] }, options);
  await remote.commit({ 'Makefile.uk': 'two\n' });
  await remote.git('tag', '--force', '--annotate', '--message=again', 'RELEASE-0.17.0');
  const network = recordingNetwork(join(folder, 'remotes'));
  const later = openStore({ folder: store.folder, network });
  const after = await updateLock(before, { components, images: [] }, { ...options, store: later, update: 'all' });
  expect(formatLockChanges(compareLocks(before, after))).toContain('tag moved  lib/musl@0.17');
});

test('a fetch that is stopped leaves nothing and can be done again', async () => {
  const stop = new AbortController();
  const onProgress = ({ kind }: ComponentProgress) => (kind === 'fetching' ? stop.abort() : undefined);
  await expect(resolveGit('stable', { signal: stop.signal, onProgress })).rejects.toThrow();
  expect(await readdir(join(store.folder, 'work'))).toEqual([]);
  expect(await resolveGit('stable')).toMatchObject({ revision: first });
});
