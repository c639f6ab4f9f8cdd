import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '@nx-kraft/base';
import { bound } from '../../base/test/bound.ts';
import { freePort } from '../../oci/test/registry.ts';

/** Real builders for one test file: a Docker engine, and a socket behind which its BuildKit answers as buildkitd does. */
export interface Engine {
  /** As DOCKER_HOST. */
  readonly host: string;
  /** As KRAFTKIT_BUILDKIT_HOST. */
  readonly buildkitHost: string;
  /** The same, over TCP. */
  readonly buildkitTcpHost: string;
  /** Ends the engine at once, as a crash would. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts Debian's dockerd with everything it keeps in a temporary folder. Needs root. */
export async function startEngine(registry?: string): Promise<Engine> {
  const folder = mkdtempSync(join(tmpdir(), 'engine-'));
  const socket = join(folder, 'docker.sock');
  const insecure = registry === undefined ? [] : ['--insecure-registry', registry];
  const args = [
    ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec'), '--host', `unix://${socket}`],
    ...['--pidfile', join(folder, 'pid'), '--iptables=false', '--ip6tables=false', '--bridge=none', ...insecure],
  ];
  const daemon = spawn(...bound('dockerd', args), { stdio: 'ignore', detached: true });
  await waitUntil(() => answers(socket), daemon);
  const port = await freePort();
  const clients = new Set<Socket>();
  const proxies = [
    serveBuildkit(socket, clients).listen(join(folder, 'buildkitd.sock')),
    serveBuildkit(socket, clients).listen(port, '127.0.0.1'),
  ];
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    for (const proxy of proxies) proxy.close();
    for (const client of clients) client.destroy();
    if (daemon.exitCode === null && daemon.signalCode === null) {
      // The whole group, since containerd outlives a daemon that is killed.
      process.kill(-(daemon.pid ?? 0), signal);
      await once(daemon, 'exit');
    }
  };
  return {
    host: `unix://${socket}`,
    buildkitHost: `unix://${join(folder, 'buildkitd.sock')}`,
    buildkitTcpHost: `tcp://127.0.0.1:${port}`,
    kill: () => stop('SIGKILL'),
    stop: async () => {
      await stop('SIGTERM');
      await unmountBelow(folder);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

/** A daemon that was killed leaves its containers' file systems mounted. */
async function unmountBelow(folder: string): Promise<void> {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${folder}/`));
  for (const path of mounts.reverse()) await run('umount', ['--lazy', path]);
}

/** buildkitd speaks HTTP/2 at once, where an engine wants to be asked for it. */
function serveBuildkit(engine: string, clients: Set<Socket>): Server {
  return createServer((client) => {
    clients.add(client);
    const upgrade = request({
      socketPath: engine,
      method: 'POST',
      path: '/grpc',
      headers: { Connection: 'Upgrade', Upgrade: 'h2c' },
    });
    upgrade.on('upgrade', (_, upstream, head) => {
      client.write(head);
      client.pipe(upstream).pipe(client);
      upstream.on('error', () => client.destroy());
      client.on('close', () => upstream.destroy());
    });
    upgrade.on('error', () => client.destroy());
    client.on('error', () => upgrade.destroy());
    upgrade.end();
  });
}

function answers(socketPath: string): Promise<boolean> {
  if (!existsSync(socketPath)) return Promise.resolve(false);
  return new Promise((resolve) => {
    const ping = request({ socketPath, path: '/_ping' }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ping.on('error', () => resolve(false));
    ping.end();
  });
}

async function waitUntil(isReady: () => Promise<boolean>, program: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 1200; attempt++) {
    if (program.exitCode !== null) throw new Error(`${program.spawnfile} ended with ${program.exitCode}`);
    if (await isReady()) return;
    await sleep(50);
  }
  throw new Error(`${program.spawnfile} does not answer`);
}

/** What buildah needs to know to work in a folder of its own, without a network and inside of containers. */
export function buildahEnvironment(folder: string, registry: string): NodeJS.ProcessEnv {
  const storage = ['[storage]', 'driver = "vfs"', `graphroot = "${folder}/graph"`, `runroot = "${folder}/run"`];
  writeFileSync(join(folder, 'storage.conf'), storage.join('\n'));
  writeFileSync(join(folder, 'registries.conf'), `[[registry]]\nlocation = "${registry}"\ninsecure = true\n`);
  return {
    ...process.env,
    BUILDAH_ISOLATION: 'chroot',
    CONTAINERS_STORAGE_CONF: join(folder, 'storage.conf'),
    CONTAINERS_REGISTRIES_CONF: join(folder, 'registries.conf'),
    DOCKER_HOST: 'unix:///nowhere/docker.sock',
  };
}

/** Makes an image with busybox as its shell, in the engine and in the registry, and gives its reference. */
export async function pushBusybox(
  engine: Engine,
  registry: string,
  archive: string,
  name = 'busybox:1',
): Promise<string> {
  const reference = `${registry}/${name}`;
  const docker = ['--host', engine.host];
  // The client of the package that brought dockerd: others may come first in PATH.
  const program = '/usr/bin/docker';
  await run(program, [
    ...docker,
    'import',
    '--change',
    'CMD ["/bin/sh"]',
    '--change',
    'ENV PATH=/bin',
    archive,
    reference,
  ]);
  await run(program, [...docker, 'push', '--quiet', reference]);
  return reference;
}
