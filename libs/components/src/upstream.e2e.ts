import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@nx-kraft/base';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createRemote, type Remote } from '../test/remotes.ts';
import { type FileServer, makeArchive, serveFiles, sha256 } from '../test/server.ts';
import {
  compareLocks,
  fetchLocked,
  formatLock,
  formatLockChanges,
  type Lock,
  openStore,
  parseLock,
  updateLock,
  upstreamDownloads,
  upstreamFetcher,
} from './index.ts';
import { removeTree } from './tree.ts';

let folder: string;
let server: FileServer;
let url: string;
let remote: Remote;

/** The ways in which Unikraft's own rules download and clone, where checksums are compared afterwards. */
const rules = `WGET := wget -q
GIT := git
upper = $(shell echo '$(1)' | tr a-z- A-Z_)
vprefix_lib = $(call upper,$(1))_$(2)
define fetch
$(O)/$(1)/file:
	mkdir -p $(O)/$(1)
	$(WGET) -O $(O)/$(1)/file $(2) || rm -f $(O)/$(1)/file
	test -f $(O)/$(1)/file
all: $(O)/$(1)/file
endef
define clone
$(O)/$(1)/.origin:
	rm -rf $(O)/$(1)/origin
	$(GIT) clone --recurse-submodules -q --progress --depth 1 --branch $(3) --no-tags $(2) $(O)/$(1)/origin/
	touch $(O)/$(1)/.origin
all: $(O)/$(1)/.origin
endef
all:
`;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "up'stream -"));
  server = await serveFiles();
  url = `${server.url}/lwip.zip`;
  server.files.set('/lwip.zip', 'archive');
  remote = await createRemote(await mkdtemp(join(tmpdir(), 'upstream-remote-')));
  await writeRules(`$(eval $(call fetch,liblwip,${url}))`);
});
afterEach(async () => {
  await server.close();
  await removeTree(folder);
  await removeTree(remote.folder);
});

const writeRules = (text: string): Promise<void> => writeFile(join(folder, 'Makefile'), `${rules}${text}\n`);

const content = `sha256:${'1'.repeat(64)}`;

interface Rules {
  readonly offline?: boolean;
  readonly frozen?: boolean;
  readonly downloads?: Readonly<Record<string, string>>;
}

const open = () => openStore({ folder: join(folder, 'store') });

/** Runs make, and gives what of its downloads nothing makes exact. */
async function make(output: string, { downloads = {}, ...network }: Rules = {}): Promise<readonly string[]> {
  const lwip = { name: 'lwip', folder, content, downloads };
  const { variables, environment, unpinned } = upstreamFetcher(open(), [lwip], network);
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  await run('make', ['all', `O=${output}`, ...assignments], { cwd: folder, env: environment });
  return unpinned();
}

const read = (output: string, path = 'liblwip/file'): Promise<string> => readFile(join(folder, output, path), 'utf8');

const failing = (text: string) => ({ output: expect.stringContaining(text) as string });

test('a library’s own download is made once, kept in the store and noted for the lock', async () => {
  expect(await make('a')).toEqual([url]);
  server.files.delete('/lwip.zip');
  await make('b', { offline: true });
  expect([await read('a'), await read('b')]).toEqual(['archive', 'archive']);
  expect(server.requests).toHaveLength(1);
  expect(await upstreamDownloads(open(), content)).toEqual({ [url]: sha256(Buffer.from('archive')) });
});

test('without a network and without the archive make is told why', async () => {
  await expect(make('a', { offline: true })).rejects.toMatchObject(failing('COMPONENT_OFFLINE'));
  expect(server.requests).toEqual([]);
});

test('an archive that is not the locked one is refused; a damaged one in the store is fetched again', async () => {
  const downloads = { [url]: '0'.repeat(64) };
  await expect(make('a', { downloads })).rejects.toMatchObject(failing('COMPONENT_WRONG_CHECKSUM'));
  await make('b');
  const [file] = await readdir(join(folder, 'store/files'));
  await run('chmod', ['u+w', join(folder, 'store/files', file ?? '')]);
  await writeFile(join(folder, 'store/files', file ?? ''), 'damaged');
  await make('c');
  expect(await read('c')).toBe('archive');
});

test('an archive with a checksum is exact; one without needs an entry in the lock', async () => {
  await expect(make('a', { frozen: true })).rejects.toMatchObject(failing('COMPONENT_NOT_LOCKED'));
  expect(server.requests).toEqual([]);
  const pinned = { [url]: sha256(Buffer.from('archive')) };
  expect(await make('b', { frozen: true, downloads: pinned })).toEqual([]);

  await writeRules(`LIBLWIP_ORIGIN_SHA256 := abc\n$(eval $(call fetch,liblwip,${url}))`);
  expect(await make('c', { frozen: true })).toEqual([]);
});

test('what a library clones is kept as well, for other builds and without a network', async () => {
  await remote.commit({ 'src/a.c': 'one', 'run.sh': '' });
  await remote.git('update-index', '--chmod=+x', 'run.sh');
  await remote.git('commit', '--quiet', '--message=mode');
  const revision = await remote.git('rev-parse', 'HEAD');
  await writeRules(`$(eval $(call clone,liblwip,${remote.url},stable))`);
  const key = `${remote.url}#stable`;
  await expect(make('a', { frozen: true })).rejects.toMatchObject(failing('COMPONENT_NOT_LOCKED'));
  expect(await make('a')).toEqual([key]);
  expect((await readdir(join(folder, 'a/liblwip/origin'))).toSorted()).toEqual(['run.sh', 'src']);
  expect(await upstreamDownloads(open(), content)).toEqual({ [key]: revision });

  // Builds may change what they have fetched, and never the store.
  expect((await stat(join(folder, 'a/liblwip/origin/run.sh'))).mode & 0o777).toBe(0o755);
  await writeFile(join(folder, 'a/liblwip/origin/src/a.c'), 'patched');
  await remote.commit({ 'src/a.c': 'two' });
  await make('b');
  expect(await read('b', 'liblwip/origin/src/a.c')).toBe('one');
  await rm(remote.folder, { recursive: true });
  expect(await make('c', { offline: true, frozen: true, downloads: { [key]: revision } })).toEqual([]);
  expect(await read('c', 'liblwip/origin/src/a.c')).toBe('one');
  const elsewhere = make('d', { offline: true, downloads: { [key]: '0'.repeat(40) } });
  await expect(elsewhere).rejects.toMatchObject(failing('COMPONENT_OFFLINE'));
});

test('sync locks what a build has fetched unchecked, update asks for it again, and another machine gets the same', async () => {
  const first = await remote.commit({ 'a.c': 'one' });
  const library = `${server.url}/lib-lwip.tar.gz`;
  server.files.set('/lib-lwip.tar.gz', await makeArchive([{ name: 'top/Makefile.uk', content: '' }]));
  const request = { type: 'library', name: 'lwip', source: library } as const;
  const needs = { components: [{ request, baseDirectory: folder }], images: [] };
  const resolveDigest = () => Promise.reject(new Error('no image'));
  const sync = (lock?: Lock, update: readonly string[] = []) =>
    updateLock(lock, needs, { store: open(), resolveDigest, update });
  const empty = await sync();
  const [locked] = Object.values(empty.components);
  if (locked === undefined) throw new Error('nothing is locked');

  await writeRules(
    `$(eval $(call fetch,liblwip,${url}))\n$(eval $(call clone,libother,${remote.url},stable))\nLIBSUM_ORIGIN_MD5 := x\n$(eval $(call fetch,libsum,${url}2))`,
  );
  server.files.set('/lwip.zip2', 'checked');
  await writeFile(join(folder, 'Makefile.uk'), '$(eval $(call clone,libother,…))\n$(eval $(call fetch,libsum,…))');
  const build = async (output: string, lock: Lock): Promise<readonly string[]> => {
    const lwip = { name: 'lwip', folder, ...Object.values(lock.components)[0], content: locked.content };
    const { variables, environment, unpinned } = upstreamFetcher(open(), [lwip], {});
    const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
    await run('make', ['all', `O=${output}`, ...assignments], { cwd: folder, env: environment });
    return unpinned();
  };
  const key = `${remote.url}#stable`;
  expect((await build('a', empty)).toSorted()).toEqual([key, url].toSorted());
  const synced = await sync(empty);
  expect(formatLockChanges(compareLocks(empty, synced))).toMatch(/^updated .*lwip\.zip/m);
  expect(parseLock(formatLock(synced), 'kraft.lock')).toEqual(synced);
  const pins = { [url]: sha256(Buffer.from('archive')), [key]: first };
  expect(Object.values(synced.components)[0]?.downloads).toEqual(pins);
  expect(await build('b', synced)).toEqual([]);
  expect(await sync(synced)).toEqual(synced);

  const second = await remote.commit({ 'a.c': 'two' });
  server.files.set('/lwip.zip', 'another');
  const there = openStore({ folder: join(folder, 'elsewhere') });
  await expect(fetchLocked(synced, { store: there })).rejects.toMatchObject({ code: 'COMPONENT_WRONG_CHECKSUM' });
  const updated = await sync(synced, ['lwip']);
  expect(Object.values(updated.components)[0]?.downloads).toEqual({
    [url]: sha256(Buffer.from('another')),
    [`${url}2`]: sha256(Buffer.from('checked')),
    [key]: second,
  });
  await fetchLocked(updated, { store: there });
  const asked = server.requests.length;
  await fetchLocked(updated, { store: openStore({ folder: there.folder }), offline: true });
  expect(server.requests).toHaveLength(asked);
  await removeTree(there.folder);
});
