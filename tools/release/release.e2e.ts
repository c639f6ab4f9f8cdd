import { existsSync } from 'node:fs';
import { appendFile, chmod, cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ProgramFault, type RunOptions, run as runProgram } from '@nx-kraft/base';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { copyOfRepository } from '../../libs/nx-kraft/test/copy-of-repository.ts';
import { loadedModules } from '../../libs/nx-kraft/test/loaded-modules.ts';
import { startRegistry } from '../../libs/oci/test/registry.ts';
import { Registry } from './test/registry.ts';

const repository = resolve(import.meta.dirname, '../..');
const others = join(import.meta.dirname, 'test');
const version = '9.9.9';

let folder: string;
let registry: Registry;
let released: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nx-kraft-release-'));
  registry = await Registry.start(join(folder, 'registry'));
  const used = ['nx', '@nx/devkit', 'execa', 'yaml', 'zod', 'tar-stream', '@noble/ciphers', 'spdx-license-ids'];
  const forTests = ['typescript', '@types/node', 'rolldown'];
  await registry.addInstalled(repository, [...used, ...forTests]);
  await registry.addInstalled(others, ['nx', '@nx/devkit']);
  released = await copyOfRepository(join(folder, 'nx-kraft'));
  const quietly = { cwd: released, env: { NX_DAEMON: 'false', NPM_CONFIG_USERCONFIG: join(folder, '.npmrc') } };
  await writeFile(join(folder, '.npmrc'), registry.npmrc);
  await run('git', ['init', '--quiet'], quietly);
  await run('nx', ['release', 'version', version, '--git-commit=false', '--git-tag=false'], quietly);
  await run('nx', ['release', 'publish', `--registry=${registry.url}`], quietly);
});

afterAll(async () => {
  await registry.stop();
  await rm(folder, { recursive: true, force: true });
});

test('a release gives all packages one version, by which they name each other, and so does the lock file', async () => {
  const lock = JSON.parse(await readFile(join(released, 'package-lock.json'), 'utf8')) as Lock;
  for (const room of await readdir(join(released, 'libs'))) {
    const source = await readManifest(join(released, 'libs', room));
    expect(source.version).toBe(version);
    expect(ours(source.dependencies)).toEqual(ours(source.dependencies).map(([name]) => [name, version]));
    expect(lock.packages[`libs/${room}`]).toMatchObject({ version, dependencies: source.dependencies ?? {} });
    expect(await readManifest(join(released, 'dist', room))).toMatchObject({ version });
  }
});

test('packages hold JavaScript, declarations and what they name, but neither sources nor tests', async () => {
  for (const room of await readdir(join(released, 'dist'))) {
    const packed = await run('npm', ['pack', '--dry-run', '--json'], { cwd: join(released, 'dist', room) });
    const [{ files }] = JSON.parse(packed) as [{ files: readonly { readonly path: string }[] }];
    const paths = files.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json']));
    expect(paths.filter((path) => /(?<!\.d)\.ts$|\.map$|\.(spec|e2e)\.|^test\//.test(path))).toEqual([]);
    const own = await run('git', ['ls-files', '--cached', '--others'], { cwd: join(released, 'libs', room) });
    // Schemas of generators and executors, templates, scripts.
    const asTheyAre = own.split('\n').filter((path) => /^(src|bin|schema)\/.*(?<!\.ts|\.snap)$/.test(path));
    expect(paths).toEqual(expect.arrayContaining(asTheyAre));
    const manifest = await readFile(join(released, 'dist', room, 'package.json'), 'utf8');
    const named = [...manifest.matchAll(/: "\.\/([^"*]+\.\w+)"/g)].map(([, path]) => path);
    expect(paths).toEqual(expect.arrayContaining(named));
  }
});

describe.each([
  { nx: '24.0.6', devkit: '24.0.0', manager: 'npm', node: dirname(process.execPath) },
  { nx: '24.0.6', devkit: '24.0.0', manager: 'pnpm', node: dirname(process.execPath) },
  // The oldest of both that is supported.
  { nx: '23.2.1', devkit: '23.2.1', manager: 'npm', node: join(others, 'node_modules/node/bin') },
])('in a new workspace with Nx $nx and $manager', ({ nx, devkit, manager, node }) => {
  let workspace: string;

  const call = (program: string, ...args: readonly string[]): Promise<string> =>
    run(program, args, {
      cwd: workspace,
      env: {
        PATH: [join(workspace, 'node_modules/.bin'), node, join(others, 'node_modules/.bin'), process.env.PATH].join(
          delimiter,
        ),
        NX_CACHE_DIRECTORY: join(workspace, '.nx/cache'),
        NX_WORKSPACE_DATA_DIRECTORY: join(workspace, '.nx/data'),
        NX_KRAFT_OBJECTS: join(workspace, '.nx/objects'),
        XDG_STATE_HOME: join(workspace, '.nx/state'),
        NX_DAEMON: 'false',
        FORCE_COLOR: '0',
        NPM_CONFIG_USERCONFIG: join(workspace, '.npmrc'),
      },
    });

  beforeAll(async () => {
    workspace = await mkdtemp(join(folder, 'workspace-'));
    const devDependencies = { nx, '@nx/devkit': devkit };
    await writeFile(join(workspace, 'package.json'), JSON.stringify({ name: 'new', private: true, devDependencies }));
    await writeFile(join(workspace, 'nx.json'), JSON.stringify({ neverConnectToCloud: true, analytics: false }));
    await writeFile(join(workspace, '.npmrc'), registry.npmrc);
    await writeFile(join(workspace, '.gitignore'), 'node_modules\n.nx\n');
    await call('git', 'init', '--quiet');
    await call(manager, 'install');
    await call('nx', 'add', 'nx-kraft');
  });

  test('adding the plugin sets the workspace up', async () => {
    expect(JSON.parse(await readFile(join(workspace, 'nx.json'), 'utf8'))).toMatchObject({
      plugins: ['nx-kraft'],
      sync: { globalGenerators: ['nx-kraft:sync'] },
      neverConnectToCloud: true,
    });
    expect(await readFile(join(workspace, '.gitignore'), 'utf8')).toBe('node_modules\n.nx\n.unikraft\n');
  });

  test('the plugin builds, boots and restores a unikernel', async () => {
    await cp(join(repository, 'apps/hello'), join(workspace, 'apps/hello'), { recursive: true, filter: isSource });
    await cp(join(repository, 'tools/test-kernel'), join(workspace, 'tools/test-kernel'), { recursive: true });

    expect(await call('nx', 'run', 'hello:run')).toContain('This line comes from the root file system.');
    await call('nx', 'run-many', '-t', 'build', 'package', 'test', 'lint');
    await rm(join(workspace, 'apps/hello/.unikraft'), { recursive: true });
    expect(await call('nx', 'run', 'hello:package')).toMatch(/\[(local cache|existing outputs)/);
    expect(await call('nx-kraft', 'inspect', 'apps/hello/Kraftfile', '--json')).toContain('"hello"');
  });

  test('what Nx loads as the plugin, what a command loads and what a task loads is in a few files', async () => {
    const script = `
      const { createNodes } = await import('nx-kraft');
      const context = { workspaceRoot: process.cwd(), nxJsonConfiguration: {} };
      await createNodes[1](['apps/hello/Kraftfile'], undefined, context);`;
    await rm(join(workspace, '.nx/data'), { recursive: true });
    const load = (...args: readonly string[]) => loadedModules(args, { cwd: workspace });
    const plugin = await load('--input-type=module', '--eval', script);
    expect(plugin).toContainEqual(expect.stringMatching(/\/nx-kraft\/src\/bundle\/summary/));
    const command = (...words: readonly string[]) => load('node_modules/nx-kraft/bin/nx-kraft.js', ...words);
    const executors = ['build', 'package', 'rootfs', 'run', 'test'];
    for (const loaded of [
      plugin,
      await command('rootfs', 'apps/hello/rootfs', '--output', '.nx/rootfs.cpio'),
      await command('lint', 'apps/hello'),
      ...(await Promise.all(
        executors.map((name) => load(`node_modules/nx-kraft/src/bundle/executors-${name}-executor.js`)),
      )),
    ]) {
      expect(loaded.filter((url) => !/\/nx-kraft\/(src\/bundle|bin)\//.test(url))).toEqual([]);
      expect(loaded.length).toBeGreaterThan(0);
      expect(loaded.length).toBeLessThan(30);
    }
  });

  test('what the lists of executors and generators name is there', async () => {
    const script = `
      const { createRequire } = await import('node:module');
      const { resolve } = createRequire(process.cwd() + '/');
      for (const list of ['executors', 'generators']) {
        const { default: { [list]: named } } = await import(resolve('nx-kraft/' + list + '.json'), { with: { type: 'json' } });
        for (const { implementation, batchImplementation = implementation, schema } of Object.values(named)) {
          for (const [path, name = 'default'] of [implementation.split('#'), batchImplementation.split('#')]) {
            const work = (await import(resolve('nx-kraft/package.json').replace('package.json', path)))[name];
            console.log(list, typeof work);
          }
        }
      }`;
    const told = await call('node', '--input-type=module', '--eval', script);
    expect(told.split('\n').filter((line) => line === 'executors function').length).toBeGreaterThan(30);
    expect(told.split('\n').filter((line) => line === 'generators function').length).toBeGreaterThan(15);
    expect(told).not.toContain('undefined');
  });

  test('the bundle is in a language that this Node knows', async () => {
    const script = `
      const { readFileSync, readdirSync } = await import('node:fs');
      const { SourceTextModule } = await import('node:vm');
      const bundle = 'node_modules/nx-kraft/src/bundle/';
      const files = readdirSync(bundle).filter((file) => file.endsWith('.js'));
      for (const file of files) new SourceTextModule(readFileSync(bundle + file, 'utf8'), { identifier: file });
      console.log(files.length);`;
    expect(
      Number(await call('node', '--experimental-vm-modules', '--input-type=module', '--eval', script)),
    ).toBeGreaterThan(100);
  });

  test('scripts and programs are found beside the bundle', async () => {
    const bundle = join(workspace, 'node_modules/nx-kraft/src/bundle');
    // Without this one make is only slower.
    expect(existsSync(join(bundle, 'bash-functions.sh'))).toBe(true);
    // Without this one sources are where they are on this machine; without the third there is no kernel.
    const built = await readFile(join(workspace, 'apps/hello/.unikraft/build/hello_qemu-x86_64.dbg'));
    expect(built.includes('/mnt/app')).toBe(true);

    const kraft = (...args: readonly string[]): Promise<string> => call('nx-kraft', ...args);
    expect(await call('nx', 'run', 'hello:run', '--detach', '--name=shop')).toContain('shop runs');
    expect(await kraft('logs', 'shop', '--follow')).toContain('This line comes from the root file system.');
    await kraft('rm', 'shop');

    // Files that git ignores are what another task may have yet to make: a program tells of their modes when the key is made.
    const [late, file] = [join(workspace, 'apps/late'), join(workspace, 'apps/late/files/motd')];
    await appendFile(join(workspace, '.gitignore'), 'apps/late/files\n');
    await mkdir(join(late, 'files'), { recursive: true });
    await writeFile(file, 'late\n');
    const kraftfile = 'spec: v0.6\nname: late\nruntime: base:latest\nrootfs: ./files\ntargets: [qemu/x86_64]\n';
    await writeFile(join(late, 'Kraftfile'), kraftfile);
    const cached = /\[(local cache|existing outputs)/;
    expect(await call('nx', 'run', 'late:rootfs')).not.toMatch(cached);
    expect(await call('nx', 'run', 'late:rootfs')).toMatch(cached);
    await chmod(file, 0o755);
    expect(await call('nx', 'run', 'late:rootfs')).not.toMatch(cached);
    await rm(late, { recursive: true });

    const guarded = `
      process.env.NX_SELF_HOSTED_REMOTE_CACHE_SERVER = 'http://127.0.0.1:9';
      const { preTasksExecution, postTasksExecution } = await import('nx-kraft');
      const context = { workspaceRoot: process.cwd(), nxJsonConfiguration: {}, id: 'run', argv: [], taskResults: {} };
      await preTasksExecution(undefined, context);
      console.log(process.env.NX_KRAFT_CACHE_GUARD);
      await postTasksExecution(undefined, context);`;
    expect(await call('node', '--input-type=module', '--eval', guarded)).toMatch(/^http:\/\/127\.0\.0\.1:\d+/);

    const [source, fetched] = [join(workspace, 'apps/hello/main.c'), join(workspace, '.nx/main.c')];
    await run(process.execPath, [join(bundle, 'upstream-main.js'), 'wget', '-O', fetched, pathToFileURL(source).href], {
      env: {
        NX_KRAFT_UPSTREAM: JSON.stringify({ store: join(workspace, '.nx/sources'), libraries: {}, downloads: {} }),
      },
    });
    expect(await readFile(fetched, 'utf8')).toBe(await readFile(source, 'utf8'));
  });

  test('provenance names what this version of Nx hashes', async () => {
    const images = await startRegistry();
    try {
      const pushed = await call('nx', 'run', 'hello:push', `--name=${images.host}/hello:1`, '--provenance');
      expect(pushed).toMatch(/provenance with \d\d+ materials attached/);
      const told = await call('nx-kraft', 'pkg', 'attachments', `${images.host}/hello:1`, '--type', 'provenance');
      expect(told).toContain('"uri":"file:apps/hello/main.c"');
      expect(told).toContain('"uri":"file:tools/test-kernel/');
    } finally {
      await images.stop();
    }
  });

  test('every generator runs, and what it makes is built and tested', async () => {
    const generate = (name: string, ...args: readonly string[]): Promise<string> =>
      call('nx', 'g', `nx-kraft:${name}`, ...args);
    await generate('init');
    for (const template of ['c', 'cpp']) {
      await generate('app', `apps/${template}`, `--template=${template}`, '--unikraft=tools/test-kernel');
    }
    await generate('app', 'apps/ts', '--template=typescript');
    await generate('library', 'libs/sums', '--app=c');
    await generate('target', 'cpp', 'qemu/arm64', '--dry-run');
    await generate('vscode');
    expect(await generate('ci', '--provider=github', '--dry-run')).toContain('CREATE .github/workflows/unikernels.yml');
    expect(existsSync(join(workspace, '.github'))).toBe(false);
    await generate('ci', '--provider=github');
    expect(await readFile(join(workspace, '.github/workflows/unikernels.yml'), 'utf8')).toContain('nx-kraft ci plan');
    await call('nx', 'run-many', '-t', 'build', 'test', 'lint', '--projects=c,cpp');
    // It needs a runtime, which is not to be had here, but not for its own part.
    await call('nx', 'run-many', '-t', 'compile', 'typecheck', 'rootfs', '--projects=ts');
    await mkdir(join(workspace, 'apps/api'));
    await writeFile(join(workspace, 'apps/api/Dockerfile'), 'FROM scratch\nCOPY Dockerfile /\n');
    await generate('convert', 'apps/api');
    await call('nx', 'run-many', '-t', 'rootfs', 'lint', '--projects=api');
    for (const project of ['ts', 'api']) await generate('remove', project, '--force');
    await generate('update');
    await call('nx', 'sync:check');
    // Folders that Kraftfiles name are projects, too, so that the graph shows who uses them.
    const projects = ['c', 'cpp', 'hello', 'libs-sums', 'tools-test-kernel'];
    expect((await call('nx', 'show', 'projects')).split('\n').toSorted()).toEqual(projects);
  });

  test('programs are checked against the types of the packages', async () => {
    await call(manager, manager === 'npm' ? 'install' : 'add', '-D', 'typescript', '@types/node');
    const rooms = (await readdir(join(workspace, 'node_modules/@nx-kraft')).catch(() => [])).map(
      (room) => `@nx-kraft/${room}`,
    );
    const lines = ['nx-kraft', ...rooms].map((name, index) => `export * as room${index} from '${name}';\n`);
    await writeFile(join(workspace, 'all.mts'), lines.join(''));
    // Nx's own declarations have faults, too, which are not ours to tell.
    const told = await call(
      'tsc',
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2024',
      'all.mts',
    ).catch(String);
    expect(told.split('\n').filter((line) => /^(\S*node_modules\/)?(@?nx-kraft\/|all\.mts)/.test(line))).toEqual([]);
  });
});

/** Tells the program's output when it fails. */
async function run(program: string, args: readonly string[], options: RunOptions): Promise<string> {
  return runProgram(program, args, options).catch((error: unknown) => {
    throw error instanceof ProgramFault ? new Error(`${program} ${args.join(' ')}: ${error.output}`) : error;
  });
}

interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

interface Lock {
  readonly packages: Readonly<Record<string, Manifest>>;
}

async function readManifest(directory: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as Manifest;
}

function ours(dependencies: Readonly<Record<string, string>> = {}): readonly [string, string][] {
  return Object.entries(dependencies).filter(([name]) => name.startsWith('@nx-kraft/'));
}

function isSource(path: string): boolean {
  return !path.includes('/.unikraft');
}
