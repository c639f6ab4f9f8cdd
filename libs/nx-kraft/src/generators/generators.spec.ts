import { readFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Tree, readNxJson, updateNxJson } from '@nx/devkit';
import { createTreeWithEmptyWorkspace } from '@nx/devkit/testing';
import { parseLock } from '@nx-kraft/components';
import { readKraftfile } from '@nx-kraft/kraftfile';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { removeTree } from '../../../components/src/tree.ts';
import { makeArchive } from '../../../components/test/server.ts';
import app from './app/generator.ts';
import { templates } from './app/templates.ts';
import compose from './compose/generator.ts';
import convert from './convert/generator.ts';
import { checkNx } from './generator.ts';
import init from './init/generator.ts';
import library from './library/generator.ts';
import remove from './remove/generator.ts';
import sync from './sync/generator.ts';
import target from './target/generator.ts';
import update from './update/generator.ts';
import vscode from './vscode/generator.ts';

let tree: Tree;
beforeEach(() => {
  tree = createTreeWithEmptyWorkspace();
  // It asks for a formatter that is not installed here.
  tree.delete('.oxfmtrc.json');
});

const text = (file: string): string => tree.read(file, 'utf8') ?? '';
const json = (file: string): unknown => JSON.parse(text(file));
const makeApp = (directory: string, more: Partial<Parameters<typeof app>[1]> = {}) =>
  app(tree, { directory, template: 'c', ...more });

/** What a generator changes. */
async function changes(work: () => Promise<unknown>): Promise<readonly string[]> {
  const before = new Map(tree.listChanges().map(({ path, content }) => [path, content?.toString()]));
  await work();
  return tree
    .listChanges()
    .filter(({ path, content }) => before.get(path) !== content?.toString())
    .map(({ path }) => path);
}

describe('init', () => {
  test('adds the plugin, its sync generator and an ignored folder, and nothing the second time', async () => {
    tree.write('.gitignore', 'dist');
    await init(tree, {});
    expect(readNxJson(tree)).toMatchObject({
      plugins: ['nx-kraft'],
      sync: { globalGenerators: ['nx-kraft:sync'] },
    });
    expect(text('.gitignore')).toBe('dist\n.unikraft\n');
    expect(await changes(() => init(tree, {}))).toEqual([]);
  });

  test('makes the files that a new workspace does not have yet', async () => {
    for (const file of ['nx.json', '.gitignore']) tree.delete(file);
    await init(tree, {});
    expect(json('nx.json')).toMatchObject({ plugins: ['nx-kraft'] });
    expect(text('.gitignore')).toBe('node_modules\n.nx\n.unikraft\n');
  });

  test('keeps options of the plugin, other plugins and generators, and lines that ignore the folder already', async () => {
    tree.write('.gitignore', '**/.unikraft/\r\n');
    tree.write('.dockerignore', 'node_modules\n');
    const plugins = ['other', { plugin: 'nx-kraft', options: { testTargetName: 'boot' } }];
    updateNxJson(tree, { plugins, sync: { globalGenerators: ['other:sync'] } });
    await init(tree, {});
    expect(readNxJson(tree)).toEqual({ plugins, sync: { globalGenerators: ['other:sync', 'nx-kraft:sync'] } });
    expect(text('.gitignore')).toBe('**/.unikraft/\r\n');
    expect(text('.dockerignore')).toBe('node_modules\n**/.unikraft\n');
  });

  test('keeps the inputs of unikernels where targetDefaults has others for tasks of their names', async () => {
    const mine = { build: { dependsOn: ['^build'] }, test: { inputs: ['default'] }, lint: { cache: true } };
    updateNxJson(tree, { targetDefaults: mine });
    await init(tree, {});
    expect(readNxJson(tree)?.targetDefaults).toEqual({ ...mine, 'nx-kraft:build': {}, 'nx-kraft:test': {} });
    updateNxJson(tree, { ...readNxJson(tree), targetDefaults: { ...mine, 'nx-kraft:build': { cache: false } } });
    await init(tree, {});
    expect(readNxJson(tree)?.targetDefaults).toMatchObject({ 'nx-kraft:build': { cache: false } });
  });
});

describe('app', () => {
  test.each(Object.keys(templates) as (keyof typeof templates)[])(
    '%s has a Kraftfile without a fault',
    async (template) => {
      await makeApp('apps/my-web', { template, targets: ['qemu/x86_64', 'kvm/aarch64'] });
      const { kraftfile, diagnostics } = readKraftfile(text('apps/my-web/Kraftfile'), {
        file: 'Kraftfile',
        directoryName: 'x',
        exists: (path) => tree.exists(join('apps/my-web', path)),
      });
      expect(diagnostics).toEqual([]);
      expect(kraftfile?.name).toBe('my-web');
      expect(kraftfile?.targets.map(({ id }) => id)).toEqual(['qemu-x86_64', 'qemu-arm64']);
      expect(json('apps/my-web/kraft.test.json')).toHaveProperty('scenarios');
      const all = tree.listChanges().map(({ content }) => content?.toString() ?? '');
      expect(all.filter((content) => /<%|undefined|&(#|lt|quot)/.test(content))).toEqual([]);
    },
  );

  test('images of templates say where they are from, without which podman and buildah seldom know', async () => {
    for (const template of Object.keys(templates) as (keyof typeof templates)[]) {
      await makeApp(`apps/${template}`, { template });
      const images = [...text(`apps/${template}/Dockerfile`).matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
      expect(images.filter((image) => image !== 'scratch' && image?.startsWith('docker.io/') !== true)).toEqual([]);
    }
  });

  test('the schema offers the templates that there are', () => {
    const schema = JSON.parse(readFileSync(join(import.meta.dirname, 'app/schema.json'), 'utf8')) as {
      properties: { template: { description: string; 'x-prompt': { items: { value: string }[] } } };
    };
    const names = Object.keys(templates);
    const listed = new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(names);
    expect(schema.properties.template.description).toContain(`: ${listed}.`);
    expect(schema.properties.template['x-prompt'].items.map(({ value }) => value)).toEqual(names);
  });

  test('tells a template that does not exist, and which was meant', async () => {
    await expect(makeApp('apps/web', { template: 'pyton' as never })).rejects.toThrow(/Did you mean python\?/);
    await expect(makeApp('apps/web', { template: 'cobol' as never })).rejects.toThrow(/There are: c, cpp, .*nginx\./);
  });

  test('takes a version, a folder or a URL of Unikraft, and another runtime', async () => {
    tree.write('vendor/unikraft/Makefile', '');
    await makeApp('apps/a', { unikraft: '0.17' });
    await makeApp('apps/b', { unikraft: 'vendor/unikraft' });
    await makeApp('apps/c', { unikraft: 'https://example.org/unikraft.git' });
    await makeApp('apps/d', { template: 'node', runtime: 'registry.example.org/node:22' });
    expect(text('apps/a/Kraftfile')).toContain('version: 0.17');
    expect(text('apps/b/Kraftfile')).toContain('source: ../../vendor/unikraft');
    expect(text('apps/c/Kraftfile')).toContain('source: https://example.org/unikraft.git');
    expect(text('apps/d/Kraftfile')).toContain('runtime: registry.example.org/node:22');
  });

  test('TypeScript gets its tools, unless the workspace has others', async () => {
    tree.write('package.json', JSON.stringify({ name: 'x', devDependencies: { typescript: '6.0.3' } }));
    tree.write('tsconfig.base.json', '{}');
    await makeApp('apps/ts', { template: 'typescript' });
    expect(json('package.json')).toMatchObject({ devDependencies: { rolldown: '1.2.19', typescript: '6.0.3' } });
    expect(json('apps/ts/tsconfig.json')).toMatchObject({ extends: '../../tsconfig.base.json' });
  });

  test.each([
    ['my app', /no folder that every system and make can use/],
    ['apps/1st', /'1st' is no name for a project \(BAD_NAME\)\n.*such as st/],
    ['apps/äpfel', /'äpfel' is no name for a project/],
    ['apps/con', /no folder that every system/],
    ['../out', /'..\/out' is no folder of this workspace \(BAD_FOLDER\)\n {2}Give it relative to the workspace/],
    ['/etc/web', /is no folder of this workspace/],
    ['C:\\work\\web', /'C:\\work\\web' is no folder of this workspace/],
    ['', /'' is no folder of this workspace/],
  ])('refuses the folder %j with a sentence, and writes nothing', async (directory, message) => {
    const before = tree.listChanges().length;
    await expect(makeApp(directory)).rejects.toThrow(message);
    expect(tree.listChanges()).toHaveLength(before);
  });

  test('understands paths as Windows writes them', async () => {
    await makeApp('apps\\web\\');
    expect(tree.exists('apps/web/Kraftfile')).toBe(true);
  });

  test('keeps what is there: files, and names that other projects have', async () => {
    tree.write('apps/web/main.c', 'mine');
    await expect(makeApp('apps/web')).rejects.toThrow('apps/web has main.c already (ALREADY_THERE)');
    tree.write('packages/shop/project.json', '{ "name": "shop" }');
    await expect(makeApp('apps/shop')).rejects.toThrow("the project in packages/shop is named 'shop' already");
    await makeApp('apps/one');
    await expect(makeApp('other/one')).rejects.toThrow("the project in apps/one is named 'one' already");
    expect(text('apps/web/main.c')).toBe('mine');
  });

  test('tells a target that does not exist, and which was meant', async () => {
    await expect(makeApp('apps/web', { targets: ['qemu/x86-65'] })).rejects.toThrow(/Did you mean qemu\/x86_64\?/);
  });
});

describe('library', () => {
  test('makes build files and sources, and puts the library into the app, switched on', async () => {
    await makeApp('apps/web');
    await library(tree, { directory: 'libs/greet-er', app: 'web' });
    expect(text('libs/greet-er/Makefile.uk')).toContain('$(eval $(call addlib_s,libgreeter,$(CONFIG_LIBGREETER)))');
    expect(text('libs/greet-er/greeter.c')).toContain('#include <greeter/greeter.h>');
    const { kraftfile } = readKraftfile(text('apps/web/Kraftfile'), { file: 'Kraftfile', directoryName: 'web' });
    expect(kraftfile?.libraries).toMatchObject([
      { name: 'greet-er', source: '../../libs/greet-er', kconfig: { CONFIG_LIBGREETER: 'y' } },
    ]);
  });

  test('keeps what is there: its own files the second time, and apps', async () => {
    await library(tree, { directory: 'libs/sums' });
    await expect(library(tree, { directory: 'libs/sums' })).rejects.toThrow(/libs\/sums has Config\.uk, .* already/);
    await makeApp('apps/py', { template: 'python' });
    await expect(library(tree, { directory: 'apps/py' })).rejects.toThrow('apps/py has Kraftfile already');
  });

  test('refuses an app whose kernel is not built, and writes nothing of it', async () => {
    await makeApp('apps/py', { template: 'python' });
    await expect(library(tree, { directory: 'libs/x', app: 'py' })).rejects.toThrow(/py runs on a runtime/);
    await expect(library(tree, { directory: 'libs/x', app: 'nothing' })).rejects.toThrow(/There are: py\./);
  });
});

test('target adds one, keeps comments, and does nothing the second time', async () => {
  await makeApp('apps/web');
  const add = () => target(tree, { project: 'web', target: 'fc/arm64' });
  await add();
  expect(text('apps/web/Kraftfile')).toContain('  - fc/arm64\n');
  expect(text('apps/web/Kraftfile')).toContain('# Random numbers');
  expect(await changes(add)).toEqual([]);
  await expect(target(tree, { project: 'web', target: 'fc' })).rejects.toThrow(/'fc' is no platform and architecture/);
});

describe('convert', () => {
  const old =
    'specification: 0.4\nname: app\nunikraft: stable # the channel\narchitectures:\n  x86_64: true\nplatforms:\n  kvm: true\n';

  test('rewrites all Kraftfiles below a folder that are older, and nothing the second time', async () => {
    tree.write('apps/a/kraft.yaml', old);
    tree.write('apps/b/Kraftfile', 'spec: v0.6\nunikraft: stable\n');
    tree.write('other/Kraftfile', old);
    const run = () => convert(tree, { directory: 'apps', force: true });
    expect(await changes(run)).toEqual(['apps/a/kraft.yaml', 'apps/b/Kraftfile']);
    expect(text('apps/a/kraft.yaml')).toMatch(/specification: '?0.6'?/);
    expect(text('apps/a/kraft.yaml')).toContain('unikraft: stable # the channel');
    expect(text('apps/b/Kraftfile')).toContain('targets:\n  - qemu/x86_64\n  - fc/x86_64\n');
    expect(await changes(run)).toEqual([]);
  });

  test('gives a folder with a Dockerfile a Kraftfile', async () => {
    tree.write('services/api/Dockerfile', 'FROM scratch\nCOPY . /\nCMD ["/api"]\n');
    await convert(tree, { directory: 'services/api' });
    const { kraftfile, diagnostics } = readKraftfile(text('services/api/Kraftfile'), { file: 'K', directoryName: 'x' });
    expect(diagnostics).toEqual([]);
    expect(kraftfile).toMatchObject({ name: 'api', rootfs: { source: './Dockerfile' } });
  });

  test('tells what would be lost, what is broken, and where there is nothing', async () => {
    tree.write(
      'a/Kraftfile',
      'spec: v0.6\nunikraft: { version: stable, kconfig: [A=$B] }\nvolumes: [./x:/y]\ntargets: [qemu/x86_64\n',
    );
    await expect(convert(tree, { directory: 'a', to: 'v0.7' })).rejects.toThrow(/KRAFTFILE_BROKEN/);
    await expect(convert(tree, { directory: 'nowhere' })).rejects.toThrow('there is no folder nowhere (NOT_FOUND)');
    tree.write('empty/x', '');
    await expect(convert(tree, { directory: 'empty' })).rejects.toThrow(/neither a Kraftfile nor a Dockerfile/);
  });
});

describe('compose', () => {
  const file = `
name: shop
services:
  web:
    build: { context: ./apps/web, target: final, args: { LEVEL: 2 } }
    image: registry.example/shop/web:1
    command: [serve, --port, '80']
    environment: { PLACE: here }
    env_file: web.env
    ports: ['8080:80']
    volumes: ['./data:/data:ro', 'cache:/cache', './apps/web/site:/site']
    networks: { back: { ipv4_address: 172.30.0.5 } }
    mem_limit: 256m
    depends_on: [store, db]
    restart: always
  store: { build: ./apps/store }
  db: { image: 'postgres:16', platform: qemu/arm64 }
networks: { back: { ipam: { config: [{ subnet: 172.30.0.0/16 }] } }, front: { ipam: { config: [{ subnet: 172.23.0.1/16 }] } } }
volumes: { cache: }
`;
  const run = () => compose(tree, { file: '.' });
  beforeEach(() => {
    tree.write('compose.yaml', file);
    tree.write('apps/web/Dockerfile', 'FROM scratch\n');
    tree.write('apps/store/Kraftfile', 'spec: v0.6\nname: keeper\nruntime: base\ntargets: [qemu/x86_64]\n');
  });

  test('makes projects of services, with what they say of running them, and changes nothing the second time', async () => {
    expect(await changes(run)).toEqual([
      'apps/web/Kraftfile',
      'services/db/Kraftfile',
      'apps/web/project.json',
      'apps/store/project.json',
      'services/db/project.json',
    ]);
    expect(json('apps/web/project.json')).toEqual({
      name: 'web',
      tags: ['compose:shop'],
      targets: {
        rootfs: { options: { target: 'final', buildArgs: { LEVEL: '2' } } },
        package: { options: { name: 'registry.example/shop/web:1' } },
        run: {
          options: {
            args: ['serve', '--port', '80'],
            env: { PLACE: 'here' },
            envFile: ['../../web.env'],
            ports: ['8080:80'],
            volumes: ['../../data:/data:ro', 'cache:/cache', './site:/site'],
            networks: ['back:172.30.0.5/16'],
            memory: '256Mi',
          },
          dependsOn: ['...', { projects: ['keeper', 'db'], target: 'run', waitFor: 'ready' }],
        },
      },
    });
    expect(json('apps/store/project.json')).toEqual({ name: 'keeper', tags: ['compose:shop'] });
    const kraftfileOf = (path: string) => readKraftfile(text(path), { file: path, directoryName: 'x' });
    expect(kraftfileOf('apps/web/Kraftfile')).toMatchObject({
      diagnostics: [],
      kraftfile: {
        name: 'web',
        runtime: { reference: 'unikraft.org/base:latest' },
        rootfs: { source: './Dockerfile' },
      },
    });
    expect(kraftfileOf('services/db/Kraftfile')).toMatchObject({
      diagnostics: [],
      kraftfile: { name: 'db', runtime: { reference: 'postgres:16' }, targets: [{ id: 'qemu-arm64' }] },
    });
    expect(await changes(run)).toEqual([]);
  });

  test('leaves what a project says itself, and takes changes of the file over', async () => {
    const targets = {
      run: { options: { cpus: 2, memory: '1Gi' }, dependsOn: ['prepare'] },
      prepare: { command: 'true' },
    };
    tree.write('apps/web/project.json', JSON.stringify({ name: 'front', tags: ['mine'], targets }));
    await run();
    tree.write('compose.yaml', file.replace('8080', '8081'));
    await run();
    expect(json('apps/web/project.json')).toMatchObject({
      name: 'front',
      tags: ['mine', 'compose:shop'],
      targets: {
        prepare: { command: 'true' },
        run: {
          options: { cpus: 2, memory: '256Mi', ports: ['8081:80'] },
          dependsOn: ['prepare', { projects: ['keeper', 'db'], target: 'run', waitFor: 'ready' }],
        },
      },
    });
  });

  test('tells what is to be made first, and what it did not take over', async () => {
    const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    try {
      const tell = await run();
      if (typeof tell === 'function') await tell();
      const told = written.mock.calls.map(([words]) => String(words)).join('');
      expect(told).toContain('npx nx-kraft net create back --network 172.30.0.1/16');
      expect(told).toContain('npx nx-kraft net create front --network 172.23.0.1/16');
      expect(told).toContain('npx nx-kraft volume create cache');
      expect(told).toContain('npx nx run-many -t run --projects=tag:compose:shop');
      expect(told).toContain('Not taken over: services.web.restart');
    } finally {
      written.mockRestore();
    }
  });

  test.each([
    ['./apps/store }', './apps/web }', /web and store are both built in apps\/web \(ALREADY_THERE\)/],
    ['./apps/store }', '../store }', /store is built in ..\/store, which is no folder of this workspace/],
    ['./apps/store }', './apps/none }', /store is built in apps\/none, which has neither a Kraftfile nor a Dockerfile/],
    ['[store, db]', '[store, queue]', /web depends on queue, which is no service/],
    ['qemu/arm64', 'vmware/arm64', /'vmware\/arm64' is no platform and architecture/],
    ['ports: [', 'ports: {', /compose.yaml: .*\(COMPOSE_INVALID\)/],
  ])('%s -> %s', async (before, after, message) => {
    tree.write('compose.yaml', file.replace(before, after));
    await expect(run()).rejects.toThrow(message);
  });

  test('looks for the file by its names, and tells them', async () => {
    tree.rename('compose.yaml', 'docker-compose.yml');
    expect(await changes(run)).toContain('services/db/Kraftfile');
    await expect(compose(tree, { file: 'apps' })).rejects.toThrow(/there is no Compose file apps.*compose.yaml, /s);
  });
});

describe('vscode', () => {
  test('adds to what is there, and nothing the second time', async () => {
    await makeApp('apps/web');
    await makeApp('apps/py', { template: 'python' });
    tree.write('.vscode/settings.json', '{ "editor.tabSize": 3, "files.associations": { "*.x": "c" } }');
    tree.write('.vscode/tasks.json', '{ "version": "2.0.0", "tasks": [{ "label": "mine" }] }');
    const run = () => vscode(tree, {});
    await run();
    expect(json('.vscode/settings.json')).toMatchObject({
      'editor.tabSize': 3,
      'files.associations': { '*.x': 'c', Kraftfile: 'yaml' },
    });
    const { tasks } = json('.vscode/tasks.json') as { tasks: { label: string }[] };
    const labels = ['mine', 'py: build', 'py: run', 'py: test', 'web: build', 'web: run', 'web: test', 'web: debug'];
    expect(tasks.map(({ label }) => label)).toEqual(labels);
    const launch = json('.vscode/launch.json') as { configurations: unknown[] };
    expect(launch.configurations).toMatchObject([
      {
        name: 'web: gdb',
        program: '${workspaceFolder}/apps/web/.unikraft/build/web_qemu-x86_64.dbg',
        miDebuggerServerAddress: '127.0.0.1:1234',
        preLaunchTask: 'web: debug',
      },
    ]);
    expect(await changes(run)).toEqual([]);
  });

  test('does not touch a file with comments, and says what belongs into it', async () => {
    tree.write('.vscode/settings.json', '{\n  // mine\n  "a": 1\n}\n');
    await expect(vscode(tree, {})).rejects.toThrow(/settings.json has comments.*BAD_JSON.*"yaml.schemas"/s);
    expect(text('.vscode/settings.json')).toContain('// mine');
  });
});

describe('remove', () => {
  test("removes a project's folder and what the editor's files say of it", async () => {
    await makeApp('apps/web');
    await makeApp('apps/web2');
    await vscode(tree, {});
    await remove(tree, { project: 'web' });
    expect(tree.exists('apps/web')).toBe(false);
    expect(text('.vscode/tasks.json')).not.toContain('"web: ');
    expect(text('.vscode/tasks.json')).toContain('"web2: run"');
    expect(text('.vscode/launch.json')).not.toContain('"web: ');
  });

  test('means projects by the names that Nx knows, where Kraftfiles share one or have one with spaces', async () => {
    const kraftfile = (name: string) => `spec: v0.6\nname: ${name}\nruntime: base:latest\ntargets: [qemu/x86_64]\n`;
    for (const folder of ['one/app', 'two/app']) tree.write(`${folder}/Kraftfile`, kraftfile('app'));
    tree.write('my web/Kraftfile', kraftfile('My Web'));
    await expect(remove(tree, { project: 'app' })).rejects.toThrow(/'app'.*\n.*There are: my-web, one-app, two-app/);
    await target(tree, { project: 'my-web', target: 'fc/x86_64' });
    expect(text('my web/Kraftfile')).toContain('fc/x86_64');
    await vscode(tree, { project: 'two-app' });
    expect(text('.vscode/tasks.json')).toContain('npx nx run two-app:build');
    await remove(tree, { project: 'two-app' });
    expect([tree.exists('one/app'), tree.exists('two/app')]).toEqual([true, false]);
    tree.write('two/app/Kraftfile', kraftfile('app'));
    await expect(makeApp('apps/app')).rejects.toThrow('ALREADY_THERE');
  });

  test('refuses what others use, and tells who', async () => {
    await makeApp('apps/web');
    tree.write('apps/shop/Kraftfile', 'spec: v0.6\ntemplate: { source: ../web }\ntargets: [qemu/x86_64]\n');
    await expect(remove(tree, { project: 'web' })).rejects.toThrow('web cannot be removed: shop uses it (IN_USE)');
    await remove(tree, { project: 'web', force: true });
    expect(tree.exists('apps/web')).toBe(false);
  });
});

describe('sync and update', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sync-'));
    // Archives, links and folders are looked for on the disk.
    tree.root = folder;
    vi.stubEnv('NX_KRAFT_STORE', join(folder, 'store'));
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const archive = await makeArchive([{ name: 'top/Makefile.uk', content: 'one' }]);
    for (const name of ['core', 'musl']) await writeFile(join(folder, `${name}.tar.gz`), archive);
    tree.write('apps/good/Kraftfile', `spec: v0.6\nunikraft: ${source('core')}\ntargets: [qemu/x86_64]\n`);
    tree.write('apps/gone/Kraftfile', `spec: v0.6\nunikraft: ${source('gone')}\ntargets: [qemu/x86_64]\n`);
    tree.write('apps/gone2/Kraftfile', `spec: v0.6\nunikraft: ${source('gone')}\ntargets: [fc/x86_64]\n`);
    tree.write('apps/odd/Kraftfile', 'spec: v0.6\nruntime: Odd_\ntargets: [qemu/x86_64]\n');
    tree.write(
      'apps/part/Kraftfile',
      `spec: v0.6\ntemplate: { source: ../nowhere }\nlibraries: { musl: ${source('musl')}, lwip: {} }\n`,
    );
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
    await removeTree(folder);
  });

  const address = (name: string): string => pathToFileURL(join(folder, `${name}.tar.gz`)).href;
  const source = (name: string): string => `{ source: '${address(name)}' }`;
  const lockedKeys = (): readonly string[] => Object.keys(parseLock(text('kraft.lock'), 'kraft.lock').components);
  const told = [
    expect.stringMatching(/^apps\/gone\/Kraftfile and 1 more: core\/unikraft@\S+ cannot be locked: .*\(COMPONENT_/),
    expect.stringMatching(/^apps\/odd\/Kraftfile: Odd_ cannot be locked: .*\(REFERENCE_INVALID\)/),
    expect.stringMatching(/^ {2}Write it as /),
    expect.stringMatching(/^apps\/part\/Kraftfile: app\/\S+@\.\.\/nowhere cannot be locked: .*\(COMPONENT_NOT_FOUND\)/),
    expect.stringMatching(/^ {2}Write a folder /),
  ] as string[];

  test('lock all that can be had, and tell of the rest by itself, with where it is named', async () => {
    const { callback, outOfSyncDetails } = await sync(tree);
    expect(outOfSyncDetails).toEqual(told);
    expect(lockedKeys()).toEqual([`core/unikraft@${address('core')}`, `lib/musl@${address('musl')}`]);
    expect(callback).toThrow(/^apps\/gone\/Kraftfile and 1 more: [^]+\n {2}Write a folder /);
    await expect(sync(tree)).rejects.toThrow('cannot be locked');
    // As nx g calls it, with options.
    expect(await sync(tree, {})).toThrow('cannot be locked');
    const after = await update(tree, {});
    expect(lockedKeys()).toHaveLength(2);
    expect(after).toThrow('apps/odd/Kraftfile: Odd_ cannot be locked');
    await expect(update(tree, { name: 'nothing' })).rejects.toThrow(/no Kraftfile names nothing .*\n {2}There is: /);
  });

  test('update takes what a template names and mentions from where the template has moved to', async () => {
    for (const name of ['gone', 'gone2', 'odd', 'part']) tree.delete(`apps/${name}`);
    tree.write('apps/good/Kraftfile', `spec: v0.6\ntemplate: ${source('base')}\ntargets: [qemu/x86_64]\n`);
    const moveTo = async (library: string): Promise<void> => {
      const kconfig = `{ CONFIG_LEVEL: "\${${library.toUpperCase()}_LEVEL:-1}" }`;
      const core = `unikraft: ${source('core')}\nkconfig: ${kconfig}\n`;
      const content = `spec: v0.6\n${core}libraries: { ${library}: ${source('musl')} }\n`;
      await writeFile(join(folder, 'base.tar.gz'), await makeArchive([{ name: 'top/Kraftfile', content }]));
    };
    const taken = () =>
      parseLock(text('kraft.lock'), 'kraft.lock').components[`app/base@${address('base')}`]?.variables;
    await moveTo('first');
    await sync(tree);
    expect(lockedKeys()).toContain(`lib/first@${address('musl')}`);
    expect(taken()).toEqual(['FIRST_LEVEL']);
    await moveTo('second');
    await sync(tree);
    expect(lockedKeys()).toContain(`lib/first@${address('musl')}`);
    await update(tree, { name: 'app/base' });
    expect(lockedKeys()).toContain(`lib/second@${address('musl')}`);
    expect(taken()).toEqual(['SECOND_LEVEL']);
    expect(await sync(tree)).toEqual({});
    const image = 'registry.example.com/team/base:1';
    await expect(update(tree, { name: image })).rejects.toThrow(`no Kraftfile names ${image} (COMPONENT_NOT_FOUND)`);
  });

  test.each([
    ['is not there', undefined, 'there is no such file'],
    ['has no Kraftfile', 'README.md', 'template inner has no Kraftfile'],
    ['uses itself', 'Kraftfile', 'template inner uses itself'],
  ])(
    'blame the template of a template that %s, and lock the outer one with what it names',
    async (_what, file, message) => {
      for (const name of ['gone', 'gone2', 'odd', 'part']) tree.delete(`apps/${name}`);
      const inner = `spec: v0.6\ntemplate: ${source('inner')}\nlibraries: { musl: ${source('musl')}, lwip: {} }\n`;
      tree.write('apps/good/Kraftfile', `spec: v0.6\ntemplate: ${source('outer')}\ntargets: [qemu/x86_64]\n`);
      await writeFile(join(folder, 'outer.tar.gz'), await makeArchive([{ name: 'top/Kraftfile', content: inner }]));
      if (file !== undefined) {
        await writeFile(join(folder, 'inner.tar.gz'), await makeArchive([{ name: `top/${file}`, content: inner }]));
      }
      const { outOfSyncDetails } = (await sync(tree)) as { outOfSyncDetails: readonly string[] };
      expect(outOfSyncDetails[0]).toContain(`apps/good/Kraftfile: app/inner@${address('inner')} cannot be locked: `);
      expect(outOfSyncDetails[0]).toContain(message);
      expect(lockedKeys()).toEqual([`app/outer@${address('outer')}`, `lib/musl@${address('musl')}`]);
    },
  );

  test('keep what is locked while a Kraftfile is broken or a template is not there, which may name it', async () => {
    for (const name of ['gone', 'gone2', 'odd', 'part']) tree.delete(`apps/${name}`);
    await sync(tree);
    const good = text('apps/good/Kraftfile');
    tree.write('apps/good/Kraftfile', 'spec: v0.6\nunikraft: [stable\ntargets: [qemu/x86_64]\n');
    expect(await sync(tree)).toEqual({});
    tree.write('apps/good/Kraftfile', 'spec: v0.6\ntemplate: { source: ../nowhere }\n');
    await expect(sync(tree)).rejects.toThrow('nowhere cannot be locked');
    expect(lockedKeys()).toEqual([`core/unikraft@${address('core')}`]);
    tree.write('apps/good/Kraftfile', good.replace('core.tar', 'musl.tar'));
    await sync(tree);
    expect(lockedKeys()).toEqual([`core/unikraft@${address('musl')}`]);
  });
});

test('an Nx that is too old is told with what to do', () => {
  expect(() => checkNx('22.7.12')).toThrow('nx-kraft needs Nx 23 or newer, and this workspace has 22.7.12');
  expect(() => checkNx('23.0.0-beta.1')).not.toThrow();
  expect(() => checkNx('24.0.6')).not.toThrow();
});
