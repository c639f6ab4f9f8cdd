import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { run } from '@nx-kraft/base';
import { bound } from '../../../libs/base/test/bound.ts';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/**
 * A registry of npm packages on this machine (verdaccio) that knows nobody else, so that what a test installs is what it
 * published, and nothing comes from the network.
 */
export class Registry {
  readonly url: string;
  readonly #folder: string;
  readonly #server: ChildProcess;

  private constructor(url: string, folder: string, server: ChildProcess) {
    this.url = url;
    this.#folder = folder;
    this.#server = server;
  }

  static async start(folder: string): Promise<Registry> {
    await mkdir(folder, { recursive: true });
    const port = await freePort();
    const config = {
      storage: join(folder, 'storage'),
      packages: { '**': { access: '$all', publish: '$anonymous' } },
      max_body_size: '200mb',
      log: { type: 'file', path: join(folder, 'log'), level: 'info' },
    };
    await writeFile(join(folder, 'config.yaml'), JSON.stringify(config));
    const program = join(import.meta.dirname, 'node_modules/verdaccio/bin/verdaccio');
    const args = [program, '--config', join(folder, 'config.yaml'), '--listen', `${port}`];
    const server = spawn(...bound(process.execPath, args), { stdio: ['ignore', 'ignore', 'inherit'] });
    const registry = new Registry(`http://localhost:${port}/`, folder, server);
    await registry.#isUp();
    return registry;
  }

  /** Ends it, so that nothing is written to its folder any more. */
  async stop(): Promise<void> {
    if (this.#server.kill()) await once(this.#server, 'exit');
  }

  /** Publishes packages that are installed in `folder`, with all of what they need that is installed there, too. */
  async addInstalled(folder: string, names: readonly string[]): Promise<void> {
    const found = new Set<string>();
    const find = (name: string, from: string): void => {
      const installed = findInstalled(name, from);
      if (installed === undefined || found.has(installed)) return;
      found.add(installed);
      const { dependencies, optionalDependencies, peerDependencies } = readManifest(installed);
      for (const needed of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
        find(needed, installed);
      }
    };
    for (const name of names) find(name, folder);
    for (const installed of found) await this.#publish(installed);
  }

  /** The lines of an `.npmrc` with which npm, pnpm and Nx use this registry alone. */
  get npmrc(): string {
    return [
      `registry=${this.url}`,
      `${this.url.replace('http:', '')}:_authToken=anybody`,
      `cache=${join(this.#folder, 'npm-cache')}`,
      `store-dir=${join(this.#folder, 'pnpm-store')}`,
      'audit=false',
      'fund=false',
      '',
    ].join('\n');
  }

  /** As `npm publish` does it, which takes a second for each package. */
  async #publish(folder: string): Promise<void> {
    const manifest = readManifest(folder);
    const { name, version } = manifest;
    const file = join(this.#folder, 'package.tgz');
    await run('tar', ['-C', folder, '--exclude=./node_modules', '--transform=s,^\\.,package,', '-czf', file, '.']);
    const tarball = await readFile(file);
    const fileName = `${name.replace(/.*\//, '')}-${version}.tgz`;
    const dist = {
      tarball: `${this.url}${name}/-/${fileName}`,
      integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
      shasum: createHash('sha1').update(tarball).digest('hex'),
    };
    const attachment = { content_type: 'application/octet-stream', data: tarball.toString('base64') };
    const { ok, status } = await fetch(this.url + encodeURIComponent(name), {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        _id: name,
        name,
        'dist-tags': { latest: version },
        versions: { [version]: { ...manifest, dist } },
        _attachments: { [fileName]: { ...attachment, length: tarball.length } },
      }),
    });
    // 409: the other tree has the same version.
    if (!ok && status !== 409) throw new Error(`The registry answered ${status} to ${name}@${version}`);
  }

  async #isUp(): Promise<void> {
    for (let attempt = 0; attempt < 600; attempt++) {
      const isUp = await fetch(`${this.url}-/ping`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (isUp) return;
      if (this.#server.exitCode !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`verdaccio did not start, see ${this.#folder}`);
  }
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}

/** Where Node would find a package from a folder; nowhere for what is optional and for another platform. */
function findInstalled(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return candidate;
    if (folder === dirname(folder)) return undefined;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
