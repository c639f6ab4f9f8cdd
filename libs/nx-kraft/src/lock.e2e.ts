import { cp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '@nx-kraft/base';
import { type TestRegistry, startRegistry } from '../../oci/test/registry.ts';
import { TestWorkspace } from '../test/workspace.ts';

let workspace: TestWorkspace;

beforeEach(async () => {
  workspace = await TestWorkspace.create('apps/hello', 'tools/test-kernel');
});
afterEach(() => workspace.remove());

test('a core from git is built but not cached until it is locked, and again when the lock moves', async () => {
  const remote = workspace.path('remotes/core');
  const git = (...args: readonly string[]) =>
    run('git', ['-C', remote, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args]);
  await cp(workspace.path('tools/test-kernel'), remote, { recursive: true });
  await run('git', ['init', '-q', '-b', 'stable', remote]);
  await git('add', '.');
  await git('commit', '-q', '-m', 'first');
  const first = await git('rev-parse', 'HEAD');
  const source = `{ source: 'file://${remote}/.git', version: stable }`;
  await workspace.write(
    'apps/far/Kraftfile',
    `spec: v0.6\nunikraft: ${source}\ntemplate: { source: ../hello }\nrootfs: ../hello/rootfs\ntargets: [qemu/x86_64]\n`,
  );
  await workspace.write('apps/hello/Kraftfile', 'spec: v0.6\nunikraft: { source: ../../tools/test-kernel }\n');
  const task = 'far:build:qemu-x86_64';
  const unlocked = await workspace.nx('run', task);
  expect(unlocked).toMatchObject({ exitCode: 0, ran: [task] });
  expect(unlocked.output).toContain('is not in kraft.lock');
  expect((await workspace.nx('run', task)).ran).toEqual([task]);

  const synced = await workspace.nx('g', 'nx-kraft:sync');
  expect(synced).toMatchObject({ exitCode: 0, output: expect.stringMatching(/added +core\/unikraft@/) as string });
  expect((await workspace.nx('g', 'nx-kraft:update')).exitCode).toBe(0);
  expect(await readFile(workspace.path('kraft.lock'), 'utf8')).toContain(first);
  expect((await workspace.nx('run', task)).ran).toEqual([task]);
  expect((await workspace.nx('run', task)).cached).toEqual([task]);
  await run('git', ['init', '-q', '-b', 'main', workspace.folder]);
  const commit = ['-C', workspace.folder, '-c', 'user.name=t', '-c', 'user.email=t@t'];
  await run('git', [...commit, 'add', 'apps', 'tools', 'kraft.lock', 'nx.json', 'package.json', '.gitignore']);
  await run('git', [...commit, 'commit', '-q', '-m', 'all']);

  await git('commit', '-q', '--allow-empty', '-m', 'second');
  expect((await workspace.nx('run', task)).cached).toEqual([task]);
  const updated = await workspace.nx('g', 'nx-kraft:update', 'unikraft');
  const affected = await workspace.nx('affected', '-t', 'build', '--base=HEAD', '--graph=stdout');
  expect(affected.output).toContain(task);
  expect(affected.output).not.toContain('hello:build:qemu-x86_64');
  expect(updated.output).toMatch(/updated +core\/unikraft@/);
  expect((await workspace.nx('run', task)).ran).toEqual([task]);
});

test('an app on a runtime takes its kernel from a registry, runs, and shares its layers', async () => {
  let registry: TestRegistry | undefined;
  try {
    registry = await startRegistry();
    const runtime = `${registry.host}/team/hello:1`;
    expect((await workspace.nx('run', 'hello:push', `--name=${runtime}`)).exitCode).toBe(0);

    await workspace.write(
      'apps/shop/Kraftfile',
      `spec: v0.6\nruntime: ${runtime}\nrootfs: ./files\ncmd: [shop]\ntargets: [qemu/x86_64]\n`,
    );
    await workspace.write('apps/shop/files/etc/motd', 'Welcome to the shop.\n');
    const booted = await workspace.nx('run', 'shop:run');
    expect(booted.output).toContain('argument 1: shop');
    expect(booted.output).toContain('Welcome to the shop.');

    expect((await workspace.nx('sync:check')).exitCode).toBe(1);
    const absent = `${registry.host}/team/none:1`;
    await workspace.write('apps/none/Kraftfile', `spec: v0.6\nruntime: ${absent}\ntargets: [qemu/x86_64]\n`);
    const partly = await workspace.nx('sync');
    expect(partly.exitCode).toBe(1);
    expect(partly.output).toContain(`${absent} cannot be locked: `);
    expect(await readFile(workspace.path('kraft.lock'), 'utf8')).toContain('/team/hello:1"');
    expect((await workspace.nx('sync:check')).exitCode).toBe(1);
    await rm(workspace.path('apps/none'), { recursive: true });
    expect((await workspace.nx('sync')).exitCode).toBe(0);
    expect((await workspace.nx('sync:check')).exitCode).toBe(0);
    expect((await workspace.nx('run', 'shop:package')).ran).toContain('shop:build:qemu-x86_64');
    expect((await workspace.nx('run', 'shop:package')).ran).toEqual([]);

    // A machine with nothing but the cache still has what packing and running need.
    await rm(workspace.path('apps/shop/.unikraft'), { recursive: true });
    expect((await workspace.nx('run', 'shop:run')).output).toContain('Welcome to the shop.');
    expect((await workspace.nx('run', 'shop:package')).ran).toEqual([]);
    const kernels = await Promise.all(['hello', 'shop'].map((app) => kernelLayer(workspace.path(`apps/${app}`), app)));
    expect(kernels[1]).toBe(kernels[0]);
  } finally {
    await registry?.stop();
  }
});

test('images of all architectures, configurations and read-only images are locked', async () => {
  // Nothing answers there, so each is told of.
  const host = '127.0.0.1:1';
  const targets = 'roms: [./rom/Dockerfile]\ntargets: [{ plat: qemu, arch: x86_64 }, { plat: qemu, arch: arm64 }]\n';
  await workspace.write('apps/many/Kraftfile', `spec: v0.7\nname: many\nrootfs: ./Dockerfile\n${targets}`);
  const stages = `ARG TARGETARCH\nFROM ${host}/other:1 AS other\nFROM ${host}/base-$TARGETARCH:1\n`;
  await workspace.write('apps/many/Dockerfile', stages);
  await workspace.write('apps/many/rom/Dockerfile', `FROM ${host}/rom:1\n`);
  const configurations = { other: { target: 'other' } };
  await workspace.write('apps/many/project.json', JSON.stringify({ targets: { rootfs: { configurations } } }));
  const { output } = await workspace.nx('sync');
  for (const name of ['base-amd64', 'base-arm64', 'other', 'rom']) {
    expect(output).toContain(`${host}/${name}:1 cannot be locked: `);
  }
});

/** The digest of the layer with the kernel for QEMU in a packed image, as skopeo reads it. */
async function kernelLayer(project: string, name: string): Promise<string> {
  const layout = `oci:${join(project, '.unikraft/build', `${name}.oci`)}:latest`;
  const index = JSON.parse(await run('skopeo', ['inspect', '--raw', layout])) as {
    manifests: { digest: string; platform: { os: string } }[];
  };
  const digest = index.manifests.find(({ platform }) => platform.os === 'qemu')?.digest ?? '';
  const blob = join(project, '.unikraft/build', `${name}.oci`, 'blobs/sha256', digest.replace('sha256:', ''));
  const manifest = JSON.parse(await readFile(blob, 'utf8')) as { layers: { digest: string }[] };
  return manifest.layers[0]?.digest ?? '';
}
