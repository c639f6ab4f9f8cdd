import { mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Fault } from '@nx-kraft/base';
import { makeArchive, type FileServer, serveFiles, sha256 } from '../test/server.ts';
import {
  ComponentFault,
  compareLocks,
  emptyLock,
  findLockGaps,
  formatLock,
  formatLockChanges,
  type Lock,
  type LockedComponent,
  type LockNeeds,
  openStore,
  parseLock,
  readLock,
  type Store,
  updateLock,
  writeLock,
} from './index.ts';
import { removeTree } from './tree.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lock-'));
});
afterEach(() => removeTree(folder));

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
const component = fc
  .record({
    name: word,
    version: word,
    revision: hex(40),
    content: hex(64),
    ref: fc.option(word),
    packed: fc.boolean(),
  })
  .map(({ name, version, revision, content, ref, packed }): LockedComponent => {
    const key = `lib/${name}@${version}`;
    const common = { key, revision, content: `sha256:${content}` };
    if (packed) return { kind: 'tarball', url: `https://example.com/${name}.tgz`, sha256: content, ...common };
    const url = `https://example.com/${name}.git`;
    return { kind: 'git', url, ...(ref === null ? {} : { ref: `refs/heads/${ref}` }), ...common };
  });
const image = fc.tuple(
  word,
  hex(64).map((digest) => `sha256:${digest}`),
);
const locks = fc
  .record({ components: fc.array(component), images: fc.array(image) })
  .map(({ components, images }): Lock => ({
    components: Object.fromEntries(components.map((entry) => [entry.key, entry])),
    images: Object.fromEntries(images),
  }));

test('a lock round-trips, and equal locks are equal files whatever order they were made in', () => {
  fc.assert(
    fc.property(locks, (lock) => {
      const text = formatLock(lock);
      expect(parseLock(text, 'kraft.lock')).toEqual(lock);
      const backwards = Object.fromEntries(Object.entries(lock.components).toReversed());
      expect(formatLock({ ...lock, components: backwards })).toBe(text);
      expect(compareLocks(lock, parseLock(text, 'kraft.lock'))).toEqual([]);
    }),
  );
});

const musl: LockedComponent = {
  kind: 'git',
  key: 'lib/musl@stable',
  url: 'https://github.com/unikraft/lib-musl.git',
  ref: 'refs/heads/stable',
  revision: 'fd1abc9257b40a74c69b3a40467a453bf8892439',
  content: `sha256:${'a'.repeat(64)}`,
};
const lockOf = (...components: readonly LockedComponent[]): Lock => ({
  ...emptyLock,
  components: Object.fromEntries(components.map((entry) => [entry.key, entry])),
});

test('what a template names is locked with it, and told when it changes', async () => {
  const loader = { ...musl, key: 'app/loader@stable' };
  const request = { type: 'template', name: 'loader', version: 'stable' } as const;
  const options = { store: openStore({ folder }), resolveDigest: () => Promise.reject(new Error('no images')) };
  const needs = (components: readonly string[], variables = ['LEVEL']): LockNeeds => ({
    components: [{ request, baseDirectory: folder, template: { components, variables } }],
    images: [],
  });
  const before = await updateLock(lockOf(loader), needs(['lib/lwip@0.17']), options);
  expect(parseLock(formatLock(before), 'kraft.lock')).toEqual(before);
  const after = await updateLock(before, needs(['lib/lwip@0.17', 'lib/musl@stable']), options);
  expect(formatLockChanges(compareLocks(before, after))).toMatch(
    /^updated +app\/loader@stable +fd1abc9257b4 \(stable\), names 1 component, takes LEVEL +fd1abc9257b4 \(stable\), names 2 components, takes LEVEL$/m,
  );
  expect(formatLock(await updateLock(before, needs(['lib/lwip@0.17'], []), options))).not.toContain('LEVEL');
  const text = formatLock(before).replace('lib/lwip@0.17', '--help');
  expect(() => parseLock(text, 'kraft.lock')).toThrow(expect.objectContaining({ code: 'COMPONENT_BAD_LOCK' }));
});

test('an upstream archive that is new is told by its name', () => {
  const url = 'https://example.com/v1/lwip.zip';
  const after = lockOf({ ...musl, downloads: { [url]: 'b'.repeat(64) } });
  expect(formatLockChanges(compareLocks(lockOf(musl), after))).toMatch(/\(stable\), lwip\.zip bbbbbbbb$/m);
});

test('a changed component changes its own lines only', () => {
  const lwip = { ...musl, key: 'lib/lwip@stable' };
  const before = formatLock(lockOf(musl, lwip)).split('\n');
  const after = formatLock(lockOf({ ...musl, revision: '0'.repeat(40) }, lwip)).split('\n');
  expect(after.filter((line) => !before.includes(line))).toEqual([`      "revision": "${'0'.repeat(40)}",`]);
});

test('a file is written only when it says something else, and read again', async () => {
  const path = join(folder, 'kraft.lock');
  expect(await readLock(path)).toBeUndefined();
  expect(await writeLock(path, lockOf(musl))).toBe(true);
  await utimes(path, 1, 1);
  expect(await writeLock(path, lockOf(musl))).toBe(false);
  expect((await stat(path)).mtimeMs).toBe(1000);
  expect(await readLock(path)).toEqual(lockOf(musl));
});

test.each([
  ['no JSON', '{', 'SyntaxError'],
  ['conflict marks', '{\n<<<<<<< HEAD\n', 'conflict marks'],
  ['another version', '{"version": 2}', 'version is 2'],
  ['no mapping', '[]', 'no mapping'],
  [
    'a URL that git takes for an option',
    formatLock(lockOf({ ...musl, url: '--upload-pack=x' })),
    'git of lib/musl@stable',
  ],
  ['a URL that runs a program', formatLock(lockOf({ ...musl, url: 'ext::sh' })), 'git of lib/musl@stable'],
  ['a short revision', formatLock(lockOf({ ...musl, revision: 'fd1abc9' })), 'revision of lib/musl@stable'],
  ['a content that leads elsewhere', formatLock(lockOf({ ...musl, content: 'sha256:../../x' })), 'content of lib/musl'],
  [
    'a download that runs a program',
    formatLock(lockOf({ ...musl, downloads: { 'ext::sh -c x#main': 'a'.repeat(40) } })),
    'git of ext::sh',
  ],
  [
    'a download from nowhere',
    formatLock(lockOf({ ...musl, downloads: { '../x.zip': 'a'.repeat(64) } })),
    'a download of lib/musl@stable',
  ],
  [
    'a download by a branch',
    formatLock(lockOf({ ...musl, downloads: { 'https://example.com/x.git#main': 'main' } })),
    'revision of https://example.com/x.git#main',
  ],
])('refused: %s', async (_, text, message) => {
  await writeFile(join(folder, 'kraft.lock'), text);
  await expect(readLock(join(folder, 'kraft.lock'))).rejects.toMatchObject({
    code: 'COMPONENT_BAD_LOCK',
    message: expect.stringContaining(message) as string,
    at: join(folder, 'kraft.lock'),
  });
});

test('a name like a property of every object is no entry', async () => {
  const needs = { components: [], images: ['constructor'] };
  expect((await findLockGaps(parseLock('{"version":1}', 'x'), needs)).missing).toEqual(['constructor']);
});

let server: FileServer;
let store: Store;
const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
const resolveDigest = (reference: string) => Promise.resolve(digest(reference === 'base:latest' ? 'b' : 'c'));

async function serve(text: string): Promise<string> {
  const archive = await makeArchive([{ name: 'top/Makefile.uk', content: text }]);
  server.files.set('/musl.tar.gz', archive);
  server.files.set('/lwip.tar.gz', archive);
  return sha256(archive);
}

const needs = (...names: readonly string[]): LockNeeds => ({
  components: names.map((name) => ({
    baseDirectory: folder,
    request: { type: 'library', name, source: `${server.url}/${name}.tar.gz` },
  })),
  images: ['base:latest', `alpine@${digest('d')}`],
});

test('a lock is completed, cleared and updated by name', async () => {
  server = await serveFiles();
  store = openStore({ folder: join(folder, 'store') });
  const first = await serve('one');
  const lock = await updateLock(undefined, needs('musl', 'lwip'), { store, resolveDigest });
  expect(Object.keys(lock.components)).toEqual([
    `lib/musl@${server.url}/musl.tar.gz`,
    `lib/lwip@${server.url}/lwip.tar.gz`,
  ]);
  expect(lock.images).toEqual({ 'base:latest': digest('b') });
  expect(await findLockGaps(lock, needs('musl', 'lwip'))).toEqual({ missing: [], unused: [] });

  const second = await serve('two');
  const options = { store: openStore({ folder: store.folder }), resolveDigest };
  expect(await updateLock(lock, needs('musl', 'lwip'), options)).toEqual(lock);
  const updated = await updateLock(lock, needs('musl', 'lwip'), { ...options, update: ['musl'] });
  const sums = Object.values(updated.components).map((entry) => (entry.kind === 'tarball' ? entry.sha256 : ''));
  expect(sums).toEqual([second, first]);
  const table = formatLockChanges(compareLocks(lock, updated)).split('\n');
  expect(table.map((line) => line.split(/ {2,}/))).toEqual([
    ['CHANGE', 'COMPONENT OR IMAGE', 'BEFORE', 'AFTER'],
    ['updated', `lib/musl@${server.url}/musl.tar.gz`, first.slice(0, 12), second.slice(0, 12)],
    [''],
  ]);

  expect(await findLockGaps(lock, needs('lwip'))).toMatchObject({ unused: [`lib/musl@${server.url}/musl.tar.gz`] });
  expect(Object.keys((await updateLock(lock, needs('lwip'), options)).components)).toHaveLength(1);
  await expect(updateLock(lock, needs('lwip'), { ...options, update: ['musl'] })).rejects.toMatchObject({
    code: 'COMPONENT_NOT_FOUND',
    message: 'no Kraftfile names musl',
  });
  await server.close();
});

test('where one image cannot be found the rest is locked, what an older lock has of it stays, and it is told', async () => {
  server = await serveFiles();
  store = openStore({ folder: join(folder, 'store') });
  await serve('one');
  const fault = new ComponentFault('COMPONENT_NOT_FOUND', 'no such image', { hint: 'Correct it.' });
  const failing = () => Promise.reject(fault);
  const told: string[] = [];
  const options = { store, resolveDigest: failing, onFault: (key: string) => void told.push(key) };
  const lock = await updateLock(undefined, needs('musl'), options);
  expect(Object.keys(lock.components)).toEqual([`lib/musl@${server.url}/musl.tar.gz`]);
  expect(lock.images).toEqual({});
  expect(told).toEqual(['base:latest']);
  const older = { ...lock, images: { 'base:latest': digest('b') } };
  expect(await updateLock(older, needs('musl'), { ...options, update: 'all' })).toEqual(older);
  await expect(updateLock(undefined, needs('musl'), { store, resolveDigest: failing })).rejects.toBe(fault);
  await server.close();
});

test('a source that is not there is told like all that cannot be locked, and keeps nothing else from it', async () => {
  server = await serveFiles();
  store = openStore({ folder: join(folder, 'store') });
  await serve('one');
  const nowhere = { request: { type: 'library', name: 'x', source: './nowhere' }, baseDirectory: folder } as const;
  const told: [string, string][] = [];
  const onFault = (key: string, { code }: Fault): void => void told.push([key, code]);
  const { components, images } = needs('musl');
  const all = { components: [...components, nowhere], images };
  const lock = await updateLock(undefined, all, { store, resolveDigest, onFault });
  expect(Object.keys(lock.components)).toEqual([`lib/musl@${server.url}/musl.tar.gz`]);
  expect(told).toEqual([['lib/x@./nowhere', 'COMPONENT_NOT_FOUND']]);
  await expect(updateLock(undefined, all, { store, resolveDigest })).rejects.toMatchObject({
    code: 'COMPONENT_NOT_FOUND',
  });
  await server.close();
});

test('where not all needs are known nothing that is locked counts as unused', async () => {
  const older = { ...lockOf(musl), images: { 'base:latest': digest('b') } };
  const partly: LockNeeds = { components: [], images: ['other:latest'], isPartial: true };
  expect(await updateLock(older, partly, { store, resolveDigest })).toEqual({
    ...older,
    images: { ...older.images, 'other:latest': digest('c') },
  });
});

test('local folders have no entry', async () => {
  const local = { request: { type: 'core', name: 'unikraft', source: '.' }, baseDirectory: folder } as const;
  const lock = await updateLock(undefined, { components: [local], images: [] }, { store, resolveDigest });
  expect(lock).toEqual(emptyLock);
  await writeLock(join(folder, 'kraft.lock'), lock);
  expect(await readFile(join(folder, 'kraft.lock'), 'utf8')).toBe(
    '{\n  "version": 1,\n  "components": {},\n  "images": {}\n}\n',
  );
  await rm(join(folder, 'kraft.lock'));
});

test('fields of the file have no dots, which part the paths that lead to them, and are read back as they were', () => {
  const content = `sha256:${'c'.repeat(64)}`;
  const key = 'lib/odd%2E@https://example.com/odd.git#1.2';
  const revision = 'a'.repeat(40);
  const lock: Lock = {
    components: { [key]: { kind: 'git', key, url: 'https://example.com/odd.git', revision, content } },
    images: { 'unikraft.org/base:1.0': `sha256:${'d'.repeat(64)}` },
  };
  const form = JSON.parse(formatLock(lock)) as { components: object; images: object };
  for (const field of [...Object.keys(form.components), ...Object.keys(form.images)]) expect(field).not.toContain('.');
  expect(parseLock(formatLock(lock), 'kraft.lock')).toEqual(lock);
});
