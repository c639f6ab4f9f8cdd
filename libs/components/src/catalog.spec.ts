import { mkdtemp, readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FileServer, makeArchive, serveFiles } from '../test/server.ts';
import {
  addIndex,
  defaultIndex,
  describeComponent,
  formatComponent,
  formatComponents,
  formatIndexes,
  formatPulled,
  listComponents,
  openStore,
  parseComponentName,
  pullComponents,
  readUserIndexes,
  removeIndex,
  type Store,
  updateIndexes,
} from './index.ts';
import { removeTree } from './tree.ts';

let folder: string;
let server: FileServer;
let store: Store;
let index: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catalog-'));
  server = await serveFiles();
  store = openStore({ folder: join(folder, 'store') });
  index = `${server.url}/index.yaml`;
  server.files.set(
    '/index.yaml',
    'manifests:\n- {name: unikraft, type: core, manifest: ./unikraft.yaml}\n- {name: musl, type: lib, description: "A \\e[31mC library"}\n',
  );
  server.files.set(
    '/unikraft.yaml',
    'name: unikraft\ntype: core\norigin: https://user:s3cret@example.com/unikraft.git\nchannels:\n- {name: staging, latest: 0.18.0}\n- {name: stable, default: true, latest: 0.17.0, resource: ./u.tar.gz}\nversions:\n- {version: 0.17.0}\n- {version: 0.16.0}\n- {version: abcdef0, type: gitsha}\n',
  );
  server.files.set('/u.tar.gz', await makeArchive([{ name: 'u/Makefile', content: 'all:' }]));
});
afterEach(async () => {
  await server.close();
  await removeTree(folder);
});

test('components are listed as data and as a table that cannot command the terminal', async () => {
  const list = await listComponents({ store, indexes: [index] });
  expect(list.map(({ type, name }) => `${type}/${name}`)).toEqual(['core/unikraft', 'lib/musl']);
  expect(formatComponents(list)).toBe(
    'TYPE  NAME      CHANNELS         VERSION  DESCRIPTION\n' +
      'core  unikraft  stable, staging  0.17.0\n' +
      'lib   musl                                A  [31mC library\n',
  );
});

test('one component is described, without credentials', async () => {
  const info = await describeComponent(parseComponentName('unikraft'), { store, indexes: [index] });
  expect(formatComponent(info)).toBe(
    `component    core/unikraft\norigin       https://example.com/unikraft.git\nchannels     stable (0.17.0), staging (0.18.0)\nversions     0.17.0, 0.16.0\nfrom         ${server.url}/unikraft.yaml\n`,
  );
});

test('indexes are asked for news, and one that fails is told beside the others', async () => {
  const statuses = await updateIndexes({ store, indexes: [index, `${server.url}/none.yaml`] });
  expect(statuses).toEqual([
    { index, components: 2 },
    { index: `${server.url}/none.yaml`, problem: 'the server answers with status 404' },
  ]);
  expect(formatIndexes(statuses)).toMatch(/none\.yaml +the server answers with status 404\n$/);
});

test('a component is pulled', async () => {
  const options = { store, indexes: [index], baseDirectory: folder };
  const [pulled] = await pullComponents([parseComponentName('unikraft:stable')], options);
  expect(await readFile(join(pulled?.folder ?? '', 'Makefile'), 'utf8')).toBe('all:');
  expect(formatPulled(pulled === undefined ? [] : [pulled])).toContain('core/unikraft@stable  sha256:');
});

test('an index that cannot be read is passed over in lists', async () => {
  const told: string[] = [];
  const onProgress = ({ message }: { message: string }) => void told.push(message);
  const list = await listComponents({ store, indexes: [`${server.url}/none.yaml`, index], onProgress });
  expect(list).toHaveLength(2);
  expect(told).toEqual([expect.stringContaining('is passed over')]);
});

test('indexes are added before the default one, only if they can be read, and removed', async () => {
  const file = join(folder, 'config/indexes.json');
  expect(await readUserIndexes(file)).toEqual([defaultIndex]);
  await addIndex(index.replace('//', '//user:s3cret@'), { store }, file);
  await addIndex('https://example.com/lib-mine.git', { store }, file);
  expect(await readUserIndexes(file)).toEqual([
    'https://example.com/lib-mine.git',
    index.replace('//', '//user:s3cret@'),
    defaultIndex,
  ]);
  expect((await stat(file)).mode & 0o077).toBe(0);
  await expect(addIndex(`${server.url}/none.yaml`, { store }, file)).rejects.toMatchObject({
    code: 'COMPONENT_NOT_FOUND',
  });
  await removeIndex(index, file);
  await expect(removeIndex(index, file)).rejects.toMatchObject({
    hint: `There is: https://example.com/lib-mine.git, ${defaultIndex}`,
  });
  await removeIndex(defaultIndex, file);
  expect(await readUserIndexes(file)).toEqual(['https://example.com/lib-mine.git']);
});

test('names are read as people type them', () => {
  expect(parseComponentName('unikraft')).toEqual({ type: 'core', name: 'unikraft' });
  expect(parseComponentName('musl:0.17')).toEqual({ type: 'library', name: 'musl', version: '0.17' });
  expect(parseComponentName('app/elfloader:staging')).toEqual({
    type: 'template',
    name: 'elfloader',
    version: 'staging',
  });
  expect(parseComponentName('lib/lwip@https://example.com/lwip.git#main')).toEqual({
    type: 'library',
    name: 'lwip',
    source: 'https://example.com/lwip.git',
    version: 'main',
  });
  expect(() => parseComponentName('--help')).toThrow(expect.objectContaining({ code: 'COMPONENT_BAD_NAME' }));
});
