import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '@nx-kraft/base';
import { bound } from '../../base/test/bound.ts';

/** A running docker-registry for one test. */
export interface TestRegistry {
  /** Host and port, as in references. */
  readonly host: string;
  /** Certificate of the authority, for TLS. */
  readonly authority?: string;
  stop(): Promise<void>;
}

export interface RegistryOptions {
  readonly tls?: boolean;
  readonly user?: { readonly name: string; readonly password: string };
}

/** Starts Debian's docker-registry on a free loopback port, with its blobs in a temporary folder. */
export async function startRegistry({ tls = false, user }: RegistryOptions = {}): Promise<TestRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'registry-'));
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const certificate = tls ? await makeCertificate(folder) : undefined;
  if (user !== undefined) {
    const line = await run('htpasswd', ['-nbB', user.name, user.password]);
    await writeFile(join(folder, 'htpasswd'), line);
  }
  const lines = [
    'version: 0.1',
    'log: { accesslog: { disabled: true }, level: error }',
    `storage: { filesystem: { rootdirectory: ${folder}/data }, delete: { enabled: true } }`,
    'http:',
    `  addr: ${host}`,
    ...(tls ? [`  tls: { certificate: ${folder}/tls.crt, key: ${folder}/tls.key }`] : []),
    ...(user === undefined ? [] : [`auth: { htpasswd: { realm: test, path: ${folder}/htpasswd } }`]),
  ];
  await writeFile(join(folder, 'config.yml'), `${lines.join('\n')}\n`);
  const child = spawn(...bound('docker-registry', ['serve', join(folder, 'config.yml')]), { stdio: 'ignore' });
  await waitForPort(port, () => child.exitCode !== null);
  return {
    host,
    ...(certificate === undefined ? {} : { authority: certificate }),
    stop: async () => {
      if (child.exitCode === null) {
        child.kill();
        await once(child, 'exit');
      }
      await rm(folder, { recursive: true });
    },
  };
}

/** Makes `tls.key` and `tls.crt` for 127.0.0.1 in a folder, and gives the latter's text. */
export async function makeCertificate(folder: string): Promise<string> {
  const key = join(folder, 'tls.key');
  const certificate = join(folder, 'tls.crt');
  const name = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  await run('openssl', ['req', '-x509', ...kind, ...name, '-keyout', key, '-out', certificate]);
  return run('cat', [certificate]);
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function waitForPort(port: number, hasEnded: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 1200; attempt++) {
    if (hasEnded()) throw new Error('docker-registry ended at once');
    const socket = connect(port, '127.0.0.1');
    const isUp = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (isUp) return;
    await sleep(50);
  }
  throw new Error('docker-registry does not listen');
}
