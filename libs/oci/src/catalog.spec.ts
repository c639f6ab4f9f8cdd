import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeImage } from '../test/images.ts';
import { catalogColumns, type CatalogFilter, formatSize, listStore } from './catalog.ts';
import { readImage } from './image.ts';
import { formatDetails, inspectImage } from './inspect.ts';
import { parseReference } from './reference.ts';
import { ImageStore } from './store.ts';
import { formatTable, tableRecords } from './table.ts';

let folder: string;
let store: ImageStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catalog-'));
  store = await ImageStore.open(join(folder, 'store'));
  const nginx = await makeImage(folder, 'nginx', {
    reference: 'unikraft.org/official/nginx:1.25',
    targets: [{}, { platform: 'fc' }, { architecture: 'arm64' }],
    urunc: true,
  });
  const app = await makeImage(folder, 'app', { reference: 'localhost:5000/app:dev' });
  await store.addLayout(nginx.layoutFolder);
  await store.addLayout(app.layoutFolder);
});
afterEach(() => rm(folder, { recursive: true }));

const found = async (filter: CatalogFilter) =>
  (await listStore(store, filter)).map(({ reference, platform }) => `${reference.repository} ${platform}`);

test('the table has the columns that users of kraft know', async () => {
  const [app, ...nginx] = formatTable(catalogColumns, await listStore(store))
    .split('\n')
    .slice(1);
  expect(app).toMatch(/^app {3}localhost:5000\/app {11}dev {6}oci {5}[0-9a-f]{7} {2}qemu\/x86_64 {2}4\.1 kB {2}yes$/);
  expect(nginx).toHaveLength(4);
  expect(tableRecords(catalogColumns, await listStore(store))[0]).toMatchObject({
    type: 'app',
    name: 'localhost:5000/app',
    version: 'dev',
    plat: 'qemu/x86_64',
  });
});

test('an image is described with all that it runs', async () => {
  const reference = parseReference('localhost:5000/app:dev');
  const details = await inspectImage(store.layout, await store.resolve(reference), reference);
  expect(details.manifests).toMatchObject([{ platform: 'qemu', architecture: 'x86_64', command: ['/server'] }]);
  const text = formatDetails(details);
  expect(text).toContain(`localhost:5000/app:dev\n${details.digest}\n\nqemu/x86_64   sha256:`);
  expect(text).toMatch(/^command {7}\/server\nlayer {9}sha256:[0-9a-f]{64} 2\.0 kB$/m);
});

test('platform, architecture and names choose', async () => {
  expect(await found({ architecture: 'arm64' })).toEqual(['official/nginx qemu/arm64']);
  expect(await found({ platform: 'firecracker' })).toEqual(['official/nginx fc/x86_64']);
  expect(await found({ name: 'off*:1.2?', platform: 'fc' })).toEqual(['official/nginx fc/x86_64']);
  expect(await found({ name: 'app' })).toEqual(['app qemu/x86_64']);
  expect(await found({ name: 'localhost:5000/app:dev' })).toEqual(['app qemu/x86_64']);
  expect(await found({ name: 'ap.' })).toEqual([]);
});

test('what is not there whole was never pulled, whatever was remembered', async () => {
  const [row] = await listStore(store);
  expect(row?.isPulled).toBe(true);
  const { layers } = await readImage(store.layout, row?.digest ?? expect.fail());
  await rm(store.layout.blobPath(layers[0]?.digest ?? expect.fail()));
  expect((await listStore(store)).every(({ isPulled }) => !isPulled)).toBe(true);
  await rm(store.layout.blobPath(row?.digest ?? expect.fail()));
  expect((await listStore(store))[0]).toMatchObject({ size: undefined, isPulled: false });
  await writeFile(join(store.layout.folder, 'summaries.json'), '{"version":7}');
  expect(await found({ name: 'app' })).toEqual(['app qemu/x86_64']);
});

test('a table fits the terminal, and names cannot play with it', () => {
  const columns = [
    { heading: 'NAME', value: (row: { name: string }) => row.name, canShrink: true },
    { heading: 'SIZE', value: () => '1 B' },
  ];
  const rows = [{ name: 'a'.repeat(50) }, { name: '\u001b[2Jx' }];
  const lines = formatTable(columns, rows, 30).split('\n');
  expect(lines[1]).toBe(`${'a'.repeat(23)}…  1 B`);
  expect(lines[2]).toBe(`?[2Jx${' '.repeat(21)}1 B`);
  expect(formatTable(columns, rows, 1).split('\n')[1]).toBe(`${'a'.repeat(7)}…  1 B`);
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [1_234_567, '1.2 MB'],
  [99_950, '100 kB'],
  [999_499, '999 kB'],
  [999_500, '1.0 MB'],
  [2e15, '2000 TB'],
])('%d bytes are %s', (bytes, text) => {
  expect(formatSize(bytes)).toBe(text);
});
