import { once } from 'node:events';
import { chmod, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { run } from '@nx-kraft/base';
import { lockField } from '@nx-kraft/components/lock-field';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { startRegistry } from '../../oci/test/registry.ts';
import { startEngine } from '../../rootfs/test/engine.ts';
import { TestWorkspace } from '../test/workspace.ts';

let workspace: TestWorkspace;
beforeEach(async () => {
  workspace = await TestWorkspace.create('apps/hello', 'tools/test-kernel');
});
afterEach(() => workspace.remove());

test('read-only images are made beside the root file system, and again when their files change', async () => {
  await workspace.edit('apps/hello/Kraftfile', 'spec: v0.6', 'spec: v0.7');
  await workspace.edit('apps/hello/Kraftfile', 'rootfs: ./rootfs', 'rootfs: ./rootfs\n\nroms: [./data, ./more]');
  await workspace.write('apps/hello/data/table', 'first');
  await workspace.write('apps/hello/more/one', 'one');
  const first = await workspace.nx('run', 'hello:rootfs');
  expect(first).toMatchObject({ exitCode: 0, ran: ['hello:rootfs'] });
  const [data = '', more = ''] = first.output.match(/\S+\.erofs(?=: erofs, 1 entries)/g) ?? [];
  expect(data).not.toBe(more);
  const before = await readFile(workspace.path(`apps/hello/${more}`));

  await workspace.write('apps/hello/data/table', 'second');
  expect(await workspace.nx('run', 'hello:rootfs')).toMatchObject({ ran: ['hello:rootfs'] });
  await run('fsck.erofs', [`--extract=${workspace.path('extracted')}`, workspace.path(`apps/hello/${data}`)]);
  expect(await readFile(workspace.path('extracted/table'), 'utf8')).toBe('second');
  expect((await readFile(workspace.path(`apps/hello/${more}`))).equals(before)).toBe(true);

  await workspace.write('apps/hello/data/table', 'first');
  expect(await workspace.nx('run', 'hello:rootfs')).toMatchObject({ cached: ['hello:rootfs'] });
});

test('a mode counts for each entry of the plugin that takes some folders, also where they infer once for many runs', async () => {
  Object.assign(workspace.environment, { NX_DAEMON: 'true', CI: 'false' });
  const entries = [{ include: ['apps/one/**'] }, { exclude: ['apps/one/**'] }];
  await workspace.write('nx.json', JSON.stringify({ plugins: entries.map((it) => ({ plugin: 'nx-kraft', ...it })) }));
  for (const name of ['one', 'two']) {
    const lines = ['spec: v0.6', 'runtime: kernel://./kernel', 'rootfs: ./files', 'targets: [qemu/x86_64]', ''];
    await workspace.write(`apps/${name}/Kraftfile`, lines.join('\n'));
    await workspace.write(`apps/${name}/files/tool`, name);
  }
  const tasks = ['run-many', '-t', 'rootfs', '-p', 'one', 'two'];
  try {
    expect(await workspace.nx(...tasks)).toMatchObject({ exitCode: 0, ran: ['one:rootfs', 'two:rootfs'] });
    for (const name of ['one', 'two']) {
      await chmod(workspace.path(`apps/${name}/files/tool`), 0o755);
      expect((await workspace.nx(...tasks)).ran).toEqual([`${name}:rootfs`]);
    }
  } finally {
    await workspace.nx('daemon', '--stop');
  }
});

test("a read-only image's Dockerfile has a context and a stage of its own, and build arguments besides those of all", async () => {
  await workspace.edit('apps/hello/Kraftfile', 'spec: v0.6', 'spec: v0.7');
  const roms = 'rootfs: ./Dockerfile\n\nroms: [./rom/Dockerfile]';
  await workspace.edit('apps/hello/Kraftfile', 'rootfs: ./rootfs', roms);
  await workspace.write('apps/hello/Dockerfile', 'FROM scratch AS small\nCOPY apps/hello/main.c /\nFROM nowhere\n');
  const stages = ['FROM scratch AS data', 'ARG ONE TWO', 'COPY rom/file /', 'COPY <<EOF /words', '$ONE $TWO', 'EOF'];
  await workspace.write('apps/hello/rom/Dockerfile', [...stages, 'FROM nowhere', ''].join('\n'));
  await workspace.write('apps/hello/rom/file', 'file');
  const options = {
    ...{ context: '../..', target: 'small', buildArgs: { ONE: 'one', TWO: 'two' } },
    roms: { './rom/Dockerfile': { target: 'data', buildArgs: { TWO: 'other' } } },
  };
  await workspace.write('apps/hello/project.json', JSON.stringify({ targets: { rootfs: { options } } }));
  const first = await workspace.nx('run', 'hello:rootfs');
  expect(first).toMatchObject({ exitCode: 0, ran: ['hello:rootfs'] });
  const [rom = ''] = /\S+\.erofs(?=: erofs, 2 entries)/.exec(first.output) ?? [];
  await run('fsck.erofs', [`--extract=${workspace.path('extracted')}`, workspace.path(`apps/hello/${rom}`)]);
  expect(await readFile(workspace.path('extracted/words'), 'utf8')).toBe('one other\n');

  expect(await workspace.nx('run', 'hello:rootfs')).toMatchObject({ cached: ['hello:rootfs'] });
  await workspace.write('apps/hello/rom/file', 'changed');
  expect(await workspace.nx('run', 'hello:rootfs')).toMatchObject({ exitCode: 0, ran: ['hello:rootfs'] });

  await workspace.edit('apps/hello/project.json', './rom/Dockerfile', './nothing');
  const unknown = await workspace.nx('run', 'hello:rootfs');
  expect(unknown).toMatchObject({ exitCode: 1, output: expect.stringContaining('./rom/Dockerfile') as string });
});

test('what a base image reads on its own is told, and refused where the result would be kept', async () => {
  const registry = await startRegistry();
  onTestFinished(() => registry.stop());
  const engine = await startEngine(registry.host);
  onTestFinished(() => engine.stop());
  // Of what a base image does to its heirs, inputs know nothing: images are not read for a graph.
  const base = `${registry.host}/base:1`;
  const docker = (...args: readonly string[]): Promise<string> =>
    run('/usr/bin/docker', ['--host', engine.host, ...args]);
  await run('tar', ['-cf', workspace.path('base.tar'), '-C', workspace.path('apps/hello'), 'rootfs']);
  await docker('import', '--change', 'ONBUILD COPY extra /extra', workspace.path('base.tar'), base);
  await docker('push', '--quiet', base);
  const pushed = await docker('inspect', '--format', '{{index .RepoDigests 0}}', base);

  await workspace.edit('apps/hello/Kraftfile', 'rootfs: ./rootfs', 'rootfs: ./Dockerfile');
  await workspace.write('apps/hello/Dockerfile', `FROM ${base}\nCOPY one /one\n`);
  for (const name of ['one', 'extra', 'other']) await workspace.write(`apps/hello/${name}`, name);
  workspace.environment.DOCKER_HOST = engine.host;
  const { exitCode, output } = await workspace.nx('run', 'hello:rootfs');
  expect(output).toContain('built with docker');
  expect(output.match(/warning: the builder read .*/g)).toEqual([
    'warning: the builder read extra, which is no input of this task',
  ]);
  expect(exitCode).toBe(0);

  // With a lock the result would be kept, whatever becomes of that file.
  const images = { [lockField(base)]: pushed.trim().replace(/^.*@/, '') };
  await workspace.write('kraft.lock', JSON.stringify({ version: 1, components: {}, images }));
  const refused = await workspace.nx('run', 'hello:rootfs');
  expect(refused).toMatchObject({ exitCode: 1, output: expect.stringContaining('(ONBUILD_REFUSED)') as string });
  await workspace.write('apps/hello/project.json', JSON.stringify({ targets: { rootfs: { cache: false } } }));
  await workspace.write('apps/hello/extra', 'changed');
  expect(await workspace.nx('run', 'hello:rootfs')).toMatchObject({ exitCode: 0, ran: ['hello:rootfs'] });
  const made = await readFile(workspace.path('apps/hello/.unikraft/build/initramfs-x86_64.cpio'), 'latin1');
  expect(made).toContain('changed');
});

test('what another task makes is never taken as it was before, also where nothing of it lay there at first', async () => {
  await workspace.write('.gitignore', 'node_modules\n.nx\n.unikraft\n.caches\ndist\n');
  const build = { command: 'mkdir -p dist/site && cp site/page dist/site', outputs: ['{workspaceRoot}/dist/site'] };
  const inputs = ['{projectRoot}/page'];
  const site = { name: 'site', targets: { build: { ...build, inputs, cache: true } } };
  await workspace.write('site/project.json', JSON.stringify(site));
  await workspace.edit('apps/hello/Kraftfile', 'rootfs: ./rootfs', 'rootfs: ../../dist/site');
  const project = { name: 'hello', implicitDependencies: ['site'] };
  await workspace.write('apps/hello/project.json', JSON.stringify(project));
  for (const [page, expected] of [
    ['first', { ran: ['hello:rootfs', 'site:build'] }],
    ['second', { ran: ['hello:rootfs', 'site:build'] }],
    ['first', { cached: ['hello:rootfs', 'site:build'] }],
  ] as const) {
    // As in a fresh clone.
    await rm(workspace.path('dist'), { recursive: true, force: true });
    await workspace.write('site/page', page);
    expect(await workspace.nx('run', 'hello:rootfs')).toMatchObject({ exitCode: 0, ...expected });
    expect(await readFile(workspace.path('apps/hello/.unikraft/build/initramfs-x86_64.cpio'), 'latin1')).toContain(
      page,
    );
  }
});

test.each([
  ['that git ignores', '../../dist/site', 'dist/site', {}],
  ['in a project that is copied as a whole', './Dockerfile', 'apps/hello/made', { dependsOn: ['^build'] }],
])('nor is what Nx does not look at %s: modes, links and modules', async (_where, rootfs, place, own) => {
  await workspace.write('.gitignore', 'node_modules\n.nx\n.unikraft\n.caches\ndist\nmade\n');
  await workspace.write('apps/hello/Dockerfile', 'FROM scratch\nCOPY . /\n');
  const build = {
    command: `mkdir -p ${place}/node_modules/m && echo same > ${place}/page && sh site/script`,
    outputs: [`{workspaceRoot}/${place}`],
    inputs: ['{projectRoot}/script'],
    cache: true,
  };
  await workspace.write('site/project.json', JSON.stringify({ name: 'site', targets: { build } }));
  await workspace.edit('apps/hello/Kraftfile', 'rootfs: ./rootfs', `rootfs: ${rootfs}`);
  const project = { name: 'hello', implicitDependencies: ['site'], targets: { rootfs: own } };
  await workspace.write('apps/hello/project.json', JSON.stringify(project));
  const scripts = [
    'chmod 755 page',
    'ln -s page link',
    'echo 1 > node_modules/m/index.js',
    'echo 2 > node_modules/m/index.js',
  ];
  for (const [index, script] of scripts.entries()) {
    // As in a fresh clone.
    if (index > 0) await rm(workspace.path(place), { recursive: true });
    await workspace.write('site/script', `cd ${place} && ${script}`);
    expect(await workspace.nx('run', 'hello:rootfs')).toMatchObject({ ran: ['hello:rootfs', 'site:build'] });
    // Now that all lies there, the key is the same.
    expect(await workspace.nx('run', 'hello:rootfs')).toMatchObject({ exitCode: 0, ran: [] });
  }
});

test('options of a configuration and of the command line let a Dockerfile read something else, which counts', async () => {
  await workspace.edit('apps/hello/Kraftfile', 'rootfs: ./rootfs', 'rootfs: ./Dockerfile');
  await workspace.write('apps/hello/Dockerfile', 'FROM scratch AS small\nCOPY small /\nFROM scratch\nCOPY big /\n');
  const configurations = { small: { target: 'small' } };
  await workspace.write('apps/hello/project.json', JSON.stringify({ targets: { rootfs: { configurations } } }));
  await workspace.write('apps/hello/big', 'big');
  for (const args of [['--configuration=small'], ['--', '--target=small']]) {
    for (const text of ['first', 'second']) {
      await workspace.write('apps/hello/small', text);
      expect(await workspace.nx('run', 'hello:rootfs', ...args)).toMatchObject({ exitCode: 0 });
      const made = await readFile(workspace.path('apps/hello/.unikraft/build/initramfs-x86_64.cpio'), 'latin1');
      expect(made).toContain(text);
    }
  }
});

test('what comes from the network is never taken from the cache', async () => {
  let page = 'first';
  const server = createServer((_request, response) => response.end(page)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const engine = await startEngine();
  onTestFinished(() => engine.stop());
  workspace.environment.DOCKER_HOST = engine.host;
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/page`;
  await workspace.edit('apps/hello/Kraftfile', 'rootfs: ./rootfs', 'rootfs: ./Dockerfile');
  const run = async (...lines: readonly string[]) => {
    await workspace.write('apps/hello/Dockerfile', ['FROM scratch', ...lines, ''].join('\n'));
    const { exitCode, output, cached } = await workspace.nx('run', 'hello:rootfs');
    expect(exitCode, output).toBe(0);
    const made = await readFile(workspace.path('apps/hello/.unikraft/build/initramfs-x86_64.cpio'), 'latin1');
    return { isCached: cached.length > 0, hasNew: made.includes(page), warning: /warning: .*/.exec(output)?.[0] };
  };
  for (const lines of [[`ADD ${address} /`], [`ARG PAGE=${address}`, 'ADD $PAGE /']]) {
    for (page of ['first', 'second']) {
      expect(await run(...lines)).toEqual({
        isCached: false,
        hasNew: true,
        warning: `warning: ${address} may be something else tomorrow, so this task is never cached; --checksum=sha256:… says what it must be`,
      });
    }
  }
});

test('a file system may hold a whole workspace, where Nx and other builds write meanwhile', async () => {
  const kraftfile = 'spec: v0.6\nruntime: base\nrootfs: ./rootfs\n';
  await workspace.write('apps/other/Kraftfile', kraftfile);
  await workspace.write('apps/other/rootfs/file', '');
  await workspace.write('Dockerfile', 'FROM scratch\nCOPY . /\n');
  await workspace.edit('apps/hello/Kraftfile', 'rootfs: ./rootfs', 'rootfs: ../../Dockerfile');
  const tasks = ['run-many', '-t', 'rootfs', '--parallel=2'];
  let run = await workspace.nx(...tasks);
  // A file of Nx's own that grows while it is read is refused, as every other: it says when to try again.
  while (/\.caches\/\S+: the file grew while it was read/.test(run.output)) run = await workspace.nx(...tasks);
  expect(run.exitCode, run.output).toBe(0);
});

test('what was made of a source that changed meanwhile is not kept for what was there before', async () => {
  const motd = 'apps/hello/rootfs/motd';
  // Nx makes the keys of both first, and runs the one that another one waits for before the other.
  const command = 'echo begun; until [ -e go ]; do sleep 0.1; done';
  await workspace.write('slow/project.json', JSON.stringify({ name: 'slow', targets: { rootfs: { command } } }));
  const dependsOn = [{ projects: ['slow'], target: 'rootfs' }];
  const last = { name: 'last', targets: { rootfs: { command: 'true', dependsOn } } };
  await workspace.write('last/project.json', JSON.stringify(last));
  await workspace.write(motd, 'first');
  const { child, ended, output } = workspace.start('run-many', '-t', 'rootfs', '--parallel=1', '--outputStyle=stream');
  let isChanged = false;
  child.stdout.on('data', () => {
    if (isChanged || !output().includes('begun')) return;
    isChanged = true;
    void workspace.write(motd, 'second').then(() => workspace.write('go', ''));
  });
  const run = await ended;
  expect(output().indexOf('begun')).toBeLessThan(output().indexOf('./rootfs: directory'));
  await workspace.write(motd, 'first');
  await workspace.nx('run', 'hello:rootfs');
  const made = await readFile(workspace.path('apps/hello/.unikraft/build/initramfs-x86_64.cpio'), 'latin1');
  expect(made).toContain('first');
  expect(run).toMatchObject({ exitCode: 1, output: expect.stringContaining(`${motd}: it was changed`) as string });
});
