import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '@nx-kraft/base';
import { type FileServer, serveFiles } from '../../libs/components/test/server.ts';
import { templates } from '../../libs/nx-kraft/src/generators/app/templates.ts';
import { StandIn } from '../../libs/nx-kraft/test/stand-in.ts';
import { TestWorkspace } from '../../libs/nx-kraft/test/workspace.ts';
import { type TestRegistry, startRegistry } from '../../libs/oci/test/registry.ts';
import { type CacheServer, startCacheServer } from '../cache-server/server.ts';
import { additions } from './exceptions.ts';
import { root } from './pages.ts';

const kraftsIndex = 'https://manifests.kraftkit.sh/index.yaml';

/**
 * A workspace in which the commands of the docs run, with stand-ins on this machine for the world around it: an index of
 * components whose core is the test kernel, a registry, a remote cache, and images for the runtimes of templates.
 */
export class World {
  readonly workspace: TestWorkspace;
  readonly #index: FileServer;
  readonly #registry: TestRegistry;
  readonly #cache: CacheServer;

  private constructor(workspace: TestWorkspace, index: FileServer, registry: TestRegistry, cache: CacheServer) {
    this.workspace = workspace;
    this.#index = index;
    this.#registry = registry;
    this.#cache = cache;
  }

  static async create(): Promise<World> {
    const workspace = await TestWorkspace.create();
    const caches = workspace.path('.caches');
    const tokens = { write: 'a token' };
    const world = new World(
      workspace,
      await serveFiles(),
      await startRegistry(),
      await startCacheServer({ folder: join(caches, 'remote'), tokens }),
    );
    Object.assign(workspace.environment, {
      TOKEN: tokens.write,
      SECRET: 'a secret',
      XDG_CONFIG_HOME: join(caches, 'config'),
      XDG_CACHE_HOME: join(caches, 'cache'),
    });
    await world.#fill();
    return world;
  }

  /** A command of the docs, with the world's own servers in place of examples' and what the exceptions add. */
  localised(command: string): string {
    const added = additions.filter(({ to }) => to.test(command)).map(({ words }) => ` ${words}`);
    return [command, ...added]
      .join('')
      .replaceAll('registry.example', this.#registry.host)
      .replaceAll('http://cache.example:3300', this.#cache.url);
  }

  /** Runs a line in the workspace, where `npx` takes what is installed; gives all that it wrote. */
  run(line: string): Promise<{ readonly exitCode: number; readonly output: string }> {
    return this.workspace.shell(`npx() { "$@"; }; ${line}`);
  }

  async close(): Promise<void> {
    await this.run('nx-kraft net rm lab');
    await Promise.all([this.#index.close(), this.#registry.stop(), this.#cache.stop()]);
    await this.workspace.remove();
  }

  async #fill(): Promise<void> {
    const { workspace } = this;
    await this.#serveIndex();
    await this.#provideRuntimes();
    const { devDependencies } = templates.typescript;
    await workspace.write('package.json', JSON.stringify({ name: 'docs', private: true, devDependencies }));
    // An app that is only a Dockerfile as yet.
    await workspace.write('apps/old/Dockerfile', 'FROM scratch\nCOPY motd /etc/motd\nCMD ["/etc/motd"]\n');
    await workspace.write('apps/old/motd', 'hello\n');
    const service = '{ build: ../apps/hello, mem_limit: 64m }';
    await workspace.write('deploy/compose.yaml', `name: shop\nservices: { hello: ${service} }\n`);
    const git = (...args: readonly string[]): Promise<string> => run('git', args, { cwd: workspace.folder });
    await git('init', '--quiet', '--initial-branch=main');
    await git('add', '.');
    const author = ['-c', 'user.name=Test', '-c', 'user.email=test@example.org'];
    await git(...author, 'commit', '--quiet', '--message', 'Begin');
  }

  async #serveIndex(): Promise<void> {
    const { url, files } = this.#index;
    const archive = this.workspace.path('.caches/core.tar.gz');
    await this.workspace.write('.caches/README', '');
    await run('tar', ['-czf', archive, '-C', join(root, 'tools'), 'test-kernel']);
    const bytes = await readFile(archive);
    const digest = createHash('sha256').update(bytes).digest('hex');
    files.set('/core.tar.gz', bytes);
    files.set(
      '/index.yaml',
      `manifests:
- name: unikraft
  type: core
  channels: [{ name: stable, default: true, resource: ./core.tar.gz, sha256: ${digest} }]
- { name: lwip, type: lib }
`,
    );
    await this.run(`nx-kraft pkg source ${url}/index.yaml && nx-kraft pkg unsource ${kraftsIndex}`);
  }

  async #provideRuntimes(): Promise<void> {
    const standIn = await StandIn.build();
    const store = this.workspace.path('.caches/images');
    for (const { runtime } of [templates.typescript, templates.nginx, templates['c-runtime']]) {
      await standIn.provide(runtime, store, ['/program']);
    }
    await standIn.remove();
  }
}
