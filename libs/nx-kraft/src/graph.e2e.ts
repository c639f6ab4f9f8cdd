import { readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '@nx-kraft/base';
import { type Remote, createRemote } from '../../components/test/remotes.ts';
import { standInCore } from '../test/cache-inputs.ts';
import { makeArchive } from '../../components/test/server.ts';
import { TestWorkspace } from '../test/workspace.ts';

let workspace: TestWorkspace;

beforeEach(async () => {
  workspace = await TestWorkspace.create();
  await workspace.write('core/Makefile', standInCore);
  await workspace.write('.gitignore', 'node_modules\n.nx\n.unikraft\n.caches\nremotes\nclones\n');
});
afterEach(() => workspace.remove());

const core = 'unikraft: { source: ../../core }\n';

/** A Kraftfile with a source of its own. */
async function app(name: string, text: string): Promise<void> {
  await workspace.write(`apps/${name}/Kraftfile`, `spec: v0.6\nname: ${name}\n${text}targets: [qemu/x86_64]\n`);
  await workspace.write(`apps/${name}/Makefile.uk`, '');
  await workspace.write(`apps/${name}/main.c`, `${name}\n`);
  await workspace.write(`apps/${name}/include/${name}.h`, '');
}

async function library(folder: string): Promise<void> {
  await workspace.write(`${folder}/Makefile.uk`, '');
  await workspace.write(`${folder}/lib.c`, `${folder}\n`);
}

const restore = () => workspace.git('checkout', '--quiet', '.');

interface Graph {
  readonly nodes: Readonly<
    Record<string, { readonly data: { readonly metadata?: { readonly description?: string } } }>
  >;
  readonly externalNodes: Readonly<Record<string, { readonly data: { readonly version: string } }>>;
  readonly dependencies: Readonly<Record<string, readonly { readonly target: string }[]>>;
}

/** The graph as Nx keeps it, and what each project depends on. */
async function readGraph(): Promise<Graph & { readonly targets: Readonly<Record<string, readonly string[]>> }> {
  expect(await workspace.nx('show', 'projects')).toMatchObject({ exitCode: 0 });
  const graph = JSON.parse(await readFile(workspace.path('.caches/data/project-graph.json'), 'utf8')) as Graph;
  const targets = Object.entries(graph.dependencies).map(([source, edges]) => [
    source,
    edges.map(({ target }) => target).toSorted(),
  ]);
  return { ...graph, targets: Object.fromEntries(targets) as Record<string, readonly string[]> };
}

/** The kernels that `nx affected` builds for what has changed since the commit. */
async function affectedKernels(): Promise<readonly string[]> {
  const { output } = await workspace.nx('affected', '-t', 'build', '--base=HEAD', '--graph=stdout');
  const { tasks } = JSON.parse(output.slice(output.indexOf('{'))) as { tasks: { tasks: Record<string, unknown> } };
  return Object.keys(tasks.tasks).filter((task) => task.includes(':build:'));
}

test('remote components are external nodes, and a change of the lock affects exactly the apps that use what moved', async () => {
  const remotes: Record<string, Remote> = {};
  for (const name of ['core', 'musl', 'lwip', 'loader']) {
    const remote = await createRemote(workspace.path(`remotes/${name}`));
    const kraftfile = `spec: v0.6\nname: loader\n${core}libraries: { lwip: ${at('lwip')}, musl: ${at('musl')} }\n`;
    await remote.commit({ 'lib.c': name, ...(name === 'loader' ? { Kraftfile: kraftfile } : {}) });
    remotes[name] = remote;
  }
  function at(name: string): string {
    return `{ source: 'file://${workspace.path('remotes')}/${name}', version: stable }`;
  }
  await app('both', `unikraft: ${at('core')}\nlibraries: { musl: ${at('musl')}, lwip: ${at('lwip')} }\n`);
  await app('one', `${core}libraries: { musl: ${at('musl')} }\n`);
  await app('other', `${core}libraries: { lwip: ${at('lwip')} }\n`);
  await app('none', core);
  // Its template names lwip and musl, but the project has a musl of its own.
  await library('libs/musl');
  await app('loaded', `${core}template: ${at('loader')}\nlibraries: { musl: { source: ../../libs/musl } }\n`);
  const kernel = (name: string): string => `${name}:build:qemu-x86_64`;

  expect((await workspace.nx('sync')).exitCode).toBe(0);
  await workspace.commit('all');
  const { nodes, targets, externalNodes } = await readGraph();
  const node = (key: string): string => `unikraft:${key}@file://${workspace.path('remotes')}/${key.slice(4)}#stable`;
  const corePath = `unikraft:core/unikraft@file://${workspace.path('remotes')}/core#stable`;
  expect(targets).toMatchObject({
    both: [corePath, node('lib/lwip'), node('lib/musl')],
    one: ['core', node('lib/musl')],
    none: ['core'],
    loaded: ['core', 'libs-musl', node('app/loader'), node('lib/lwip')],
  });
  const revision = await remotes.musl?.git('rev-parse', '--short=12', 'HEAD');
  expect(externalNodes[node('lib/musl')]?.data.version).toBe(revision);
  const musl = node('lib/musl').replace('unikraft:', '');
  expect(nodes.one?.data.metadata?.description).toBe(`Unikernel of apps/one/Kraftfile, made of ${musl} (${revision})`);

  const expected: Readonly<Record<string, readonly string[]>> = {
    musl: [kernel('both'), kernel('one')],
    lwip: [kernel('both'), kernel('loaded'), kernel('other')],
    unikraft: [kernel('both')],
    'app/loader': [kernel('loaded')],
  };
  for (const [name, remote] of Object.entries({
    musl: 'musl',
    lwip: 'lwip',
    unikraft: 'core',
    'app/loader': 'loader',
  })) {
    await remotes[remote]?.commit({ 'new.c': name });
    const updated = await workspace.nx('g', 'nx-kraft:update', name);
    expect(updated.output.match(/^updated /gm)).toHaveLength(1);
    expect((await affectedKernels()).toSorted(), name).toEqual(expected[name]);
    await restore();
  }
  expect(await affectedKernels()).toEqual([]);
});

test('local components are projects to depend on, also those of templates, and clones that git ignores', async () => {
  for (const folder of ['libs/my-uk-lib', 'libs/named', 'libs/deep', 'clones/cloned']) await library(folder);
  await workspace.write('libs/named/project.json', '{ "name": "named" }');
  await run('git', ['init', '-q', workspace.path('clones/cloned')]);
  await app('plain', `${core}libraries: { a: { source: ../../libs/my-uk-lib }, b: { source: ../../libs/named } }\n`);
  await app('base', `${core}libraries: { deep: { source: ../../libs/deep } }\n`);
  await app('templated', `template: { source: ../base }\nrootfs: ./files\n`);
  await workspace.write('apps/templated/files/motd', 'hello');
  await app('cloned', `${core}libraries: { c: { source: ../../clones/cloned } }\n`);
  const pack = async (content: string): Promise<void> => {
    const files = [{ name: 'top/Makefile.uk' }, { name: 'top/lib.c', content }];
    await writeFile(workspace.path('libs/packed.tgz'), await makeArchive(files));
  };
  await pack('');
  await app('packed', `${core}libraries: { packed: { source: ../../libs/packed.tgz } }\n`);

  const { targets } = await readGraph();
  expect(targets).toMatchObject({
    plain: ['core', 'libs-my-uk-lib', 'named'],
    base: ['core', 'libs-deep'],
    templated: ['base', 'core', 'libs-deep'],
  });
  const everything = await workspace.nx('run-many', '-t', 'build');
  expect(everything).toMatchObject({ exitCode: 0 });
  // A root file system has no use for the kernels of a template.
  expect((await workspace.nx('run', 'templated:rootfs')).ran).toEqual(['templated:rootfs']);

  await workspace.commit('all');
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['libs/my-uk-lib/lib.c', ['plain']],
    ['libs/named/lib.c', ['plain']],
    ['libs/deep/lib.c', ['base', 'templated']],
    ['apps/base/main.c', ['base', 'templated']],
  ];
  for (const [path, names] of cases) {
    const kernels = names.map((name) => `${name}:build:qemu-x86_64`);
    await workspace.write(path, 'changed');
    expect((await affectedKernels()).toSorted(), path).toEqual(kernels);
    expect((await workspace.nx('run-many', '-t', 'build')).ran.filter((task) => task.includes(':build:'))).toEqual(
      kernels,
    );
    await restore();
  }
  await pack('# changed');
  expect(await affectedKernels()).toEqual(['packed:build:qemu-x86_64']);
  expect((await workspace.nx('run-many', '-t', 'build')).ran).toContain('packed:build:qemu-x86_64');
  await restore();
  await workspace.write('clones/cloned/lib.c', 'changed');
  expect((await workspace.nx('run-many', '-t', 'build')).ran).toContain('cloned:build:qemu-x86_64');
});

test('what another app packs is a runtime or a base image without registry, lock or network', async () => {
  const name = 'registry.invalid/team/base:1';
  await app('base', `${core}rootfs: ./files\n`);
  await workspace.write('apps/base/files/motd', 'from the base\n');
  await workspace.write(
    'apps/base/project.json',
    JSON.stringify({ name: 'base', targets: { package: { options: { name, tags: ['edge'], sbom: true } } } }),
  );
  await app('shop', `runtime: ${name.replace(':1', ':edge')}\nrootfs: ./files\n`);
  await workspace.write('apps/shop/files/goods', '1');
  await app('derived', `${core}rootfs: ./Dockerfile\n`);
  const dockerfile = `FROM ${name} AS base\nFROM scratch\nCOPY --from=base /unikraft/bin/initrd /initrd\n`;
  await workspace.write('apps/derived/Dockerfile', dockerfile);
  await app('file', `runtime: kernel://../base/.unikraft/build/base_qemu-x86_64\n`);

  expect((await readGraph()).targets).toMatchObject({ shop: ['base'], derived: ['base', 'core'], file: ['base'] });
  expect(await workspace.nx('sync:check', '--verbose')).toMatchObject({ exitCode: 0 });
  const before = ['base:build:qemu-x86_64', 'base:package', 'base:rootfs'];
  Object.assign(workspace.environment, { NX_KRAFT_FROZEN: '1', NX_KRAFT_OFFLINE: '1' });
  const packed = await workspace.nx('run-many', '-t', 'package', '-p', 'shop,derived,file');
  expect(packed.output).toContain('Successfully ran');
  expect(packed.ran).toEqual(expect.arrayContaining([...before, 'shop:build:qemu-x86_64', 'derived:rootfs']));
  const kernel = (app: string) => readFile(workspace.path(`apps/${app}/.unikraft/build/${app}_qemu-x86_64`), 'utf8');
  expect(await kernel('shop')).toBe(await kernel('base'));
  expect(await kernel('file')).toBe(await kernel('base'));
  const cpio = await readFile(workspace.path('apps/derived/.unikraft/build/initramfs-x86_64.cpio'), 'latin1');
  expect(cpio).toContain('from the base');
  expect((await workspace.nx('run-many', '-t', 'package')).ran).toEqual([]);

  await workspace.write('apps/base/main.c', 'another\n');
  const again = await workspace.nx('run-many', '-t', 'package');
  expect(again.ran).toEqual(
    expect.arrayContaining(['shop:build:qemu-x86_64', 'file:build:qemu-x86_64', 'shop:package', 'derived:rootfs']),
  );
  expect(again.ran).not.toContain('shop:rootfs');
  expect(await kernel('shop')).toContain('another');
  expect(await kernel('file')).toContain('another');
});
