import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FileServer, makeArchive, serveFiles } from '../../components/test/server.ts';
import { TestWorkspace } from '../test/workspace.ts';

let workspace: TestWorkspace;
let server: FileServer;
let core: string;

beforeEach(async () => {
  workspace = await TestWorkspace.create('apps/hello', 'tools/test-kernel');
  server = await serveFiles();
  core = `${server.url}/core.tar.gz`;
  server.files.set('/core.tar.gz', await packFolder(workspace.path('tools/test-kernel')));
  await workspace.write(
    'apps/far/Kraftfile',
    `spec: v0.6\nunikraft: { source: '${core}' }\nrootfs: ../hello/rootfs\ntargets: [qemu/x86_64]\n`,
  );
  await workspace.write('apps/far/Makefile.uk', await readFile(workspace.path('apps/hello/Makefile.uk'), 'utf8'));
  await workspace.write('apps/far/main.c', await readFile(workspace.path('apps/hello/main.c'), 'utf8'));
});
afterEach(async () => {
  await server.close();
  await workspace.remove();
});

/** A folder as a gzipped tar file. */
async function packFolder(folder: string): Promise<Buffer> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const entries = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return makeArchive(
    await Promise.all(
      entries.map(async (path) => ({
        name: `core/${path.slice(folder.length + 1)}`,
        mode: 0o755,
        content: await readFile(path, 'latin1'),
      })),
    ),
  );
}

test('offline nothing is asked, what is missing is named with its command, and what was pulled is enough', async () => {
  const refused = await workspace.nx('run', 'far:package', '--offline');
  expect(refused.exitCode).not.toBe(0);
  const command = `nx-kraft pkg pull core/unikraft@${core}`;
  expect(refused.output).toContain(command);
  expect(server.requests).toEqual([]);

  await workspace.nxKraft(...command.split(' ').slice(1));
  const { length } = server.requests;
  expect(length).toBeGreaterThan(0);
  const packed = await workspace.nx('run', 'far:package', '--offline');
  expect(packed).toMatchObject({ exitCode: 0 });
  expect(packed.output).toContain(`warning: core/unikraft@${core} is not in kraft.lock`);
  expect(server.requests).toHaveLength(length);
});

test('frozen tasks refuse what the lock does not have, and run with one', async () => {
  const refused = await workspace.nx('run', 'far:build', '--frozen');
  expect(refused.exitCode).not.toBe(0);
  expect(refused.output).toContain('(COMPONENT_NOT_LOCKED)');
  expect(refused.output).toContain('Run nx sync and commit kraft.lock.');
  expect(server.requests).toEqual([]);

  expect((await workspace.nx('sync')).exitCode).toBe(0);
  const built = await workspace.nx('run', 'far:build', '--frozen');
  expect(built).toMatchObject({ exitCode: 0, ran: expect.arrayContaining(['far:build:qemu-x86_64']) as string[] });
  // The switches are no part of the cache keys of tasks that were not called by name.
  expect((await workspace.nx('run', 'far:build', '--offline')).cached).toContain('far:build:qemu-x86_64');

  // Everything that is locked comes back by one command, and nothing else is asked for then.
  const sources = await workspace.nxKraft('pkg', 'pull', '--locked');
  expect(sources).toContain(`core/unikraft@${core}`);
});

test('what a library fetches in its own rules is kept in the store, for builds without a network', async () => {
  server.files.set('/notes.zip', 'archive');
  const url = `${server.url}/notes.zip`;
  // As Unikraft's $(call fetch,…) does it.
  const rule = `$(O)/libnotes/notes.zip:\n\tmkdir -p $(@D)\n\t$(WGET) -O $@ ${url} || (rm -f $@ && false)\n`;
  const makefile = `$(eval $(call addlib,libnotes))\nUK_FETCH += $(O)/libnotes/notes.zip\n${rule}`;
  server.files.set('/notes.tar.gz', await makeArchive([{ name: 'notes/Makefile.uk', content: makefile }]));
  const library = `${server.url}/notes.tar.gz`;
  await workspace.write(
    'apps/far/Kraftfile',
    `spec: v0.6\nunikraft: { source: ../../tools/test-kernel }\nlibraries: { notes: { source: '${library}' } }\ntargets: [qemu/x86_64]\n`,
  );
  const task = 'far:build:qemu-x86_64';
  expect(await workspace.nxKraft('pkg', 'pull', `lib/notes@${library}`)).toContain('lib/notes');
  const refused = await workspace.nx('run', task, '--offline');
  // That is the error, and not what make fails with because of it.
  expect(refused.output).toContain(
    `(KERNEL_FETCH_FAILED)\n  ${url}: this upstream source is not in the store (COMPONENT_OFFLINE)\n  Build once`,
  );
  expect(server.requests.map(({ path }) => path)).toEqual(['/notes.tar.gz']);

  const built = await workspace.nx('run', task);
  expect(built).toMatchObject({ exitCode: 0 });
  const warning = `warning: ${url} has no checksum`;
  expect(built.output).toContain(warning);
  expect(server.requests.filter(({ path }) => path === '/notes.zip')).toHaveLength(1);
  const asked = server.requests.length;
  await rm(workspace.path('apps/far/.unikraft'), { recursive: true });
  await rm(workspace.path('.caches/objects'), { recursive: true });
  expect(await workspace.nx('run', task, '--offline')).toMatchObject({ exitCode: 0 });
  expect(server.requests).toHaveLength(asked);
  const objects = workspace.path('apps/far/.unikraft/work/qemu-x86_64/objects');
  expect(await readFile(join(objects, 'libnotes/notes.zip'), 'utf8')).toBe('archive');

  const synced = await workspace.nx('sync');
  expect(synced.output).toContain('notes.zip');
  expect(await readFile(workspace.path('kraft.lock'), 'utf8')).toContain(url);
  const frozen = await workspace.nx('run', task, '--frozen');
  expect(frozen.exitCode).toBe(0);
  expect(frozen.output).not.toContain(warning);
});
