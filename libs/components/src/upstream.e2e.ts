import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@nx-kraft/base';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FileServer, serveFiles, sha256 } from '../test/server.ts';
import { openStore, upstreamDownloads, upstreamFetcher } from './index.ts';
import { removeTree } from './tree.ts';

let folder: string;
let server: FileServer;
let url: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "up'stream $-"));
  server = await serveFiles();
  url = `${server.url}/lwip.zip`;
  server.files.set('/lwip.zip', 'archive');
  // The way in which Unikraft's Makefile.rules download, and its checksums come after.
  await writeFile(
    join(folder, 'Makefile'),
    `WGET := wget -q\nall:\n\tmkdir -p $(O)/liblwip\n\t$(WGET) -O $(O)/liblwip/lwip.zip ${url} || rm -f $(O)/liblwip/lwip.zip\n\ttest -f $(O)/liblwip/lwip.zip\n`,
  );
});
afterEach(async () => {
  await server.close();
  await removeTree(folder);
});

const content = `sha256:${'1'.repeat(64)}`;
async function make(output: string, { offline = false, downloads = {} } = {}): Promise<string> {
  const store = openStore({ folder: join(folder, 'store') });
  const lwip = { name: 'lwip', folder, content, downloads };
  const { variables, environment } = upstreamFetcher(store, [lwip], { offline });
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  await run('make', ['all', `O=${output}`, ...assignments], { cwd: folder, env: environment });
  return readFile(join(folder, output, 'liblwip/lwip.zip'), 'utf8');
}

test('a library’s own download is made once, kept in the store and noted for the lock', async () => {
  expect(await make('a')).toBe('archive');
  server.files.delete('/lwip.zip');
  expect(await make('b', { offline: true })).toBe('archive');
  expect(server.requests).toHaveLength(1);
  const store = openStore({ folder: join(folder, 'store') });
  expect(await upstreamDownloads(store, content)).toEqual({ [url]: sha256(Buffer.from('archive')) });
});

test('without a network and without the archive make is told why', async () => {
  const failing = make('a', { offline: true });
  await expect(failing).rejects.toMatchObject({ output: expect.stringContaining('COMPONENT_OFFLINE') as string });
  expect(server.requests).toEqual([]);
});

test('an archive that is not the locked one is refused; a damaged one in the store is fetched again', async () => {
  const downloads = { [url]: '0'.repeat(64) };
  const failing = make('a', { downloads });
  await expect(failing).rejects.toMatchObject({
    output: expect.stringContaining('COMPONENT_WRONG_CHECKSUM') as string,
  });
  await make('b');
  const [file] = await readdir(join(folder, 'store/files'));
  await run('chmod', ['u+w', join(folder, 'store/files', file ?? '')]);
  await writeFile(join(folder, 'store/files', file ?? ''), 'damaged');
  expect(await make('c')).toBe('archive');
});
