import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { type RequestListener, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type CacheServer, startCacheServer } from './server.ts';
import { writeSources } from '../../libs/nx-kraft/test/cache-inputs.ts';
import { TestWorkspace } from '../../libs/nx-kraft/test/workspace.ts';

const tokens = { write: 'token-that-writes', read: 'token-that-reads', branch: 'token-of-a-branch' };
const tasks = ['run-many', '-t', 'build', 'rootfs', 'package'];
let folder: string;
let server: CacheServer;
let workspaces: TestWorkspace[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nx-kraft-server-'));
  server = await startCacheServer({ folder, tokens });
  workspaces = [];
});
afterEach(async () => {
  await server.stop();
  await Promise.all(workspaces.map((workspace) => workspace.remove()));
  await rm(folder, { recursive: true, force: true });
});

/** A machine of its own: a checkout, a home and caches that nobody else has. */
async function machine(token: string, address: string, ...copies: readonly string[]): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.create(...copies);
  workspaces.push(workspace);
  Object.assign(workspace.environment, {
    HOME: workspace.path('.caches/home'),
    NX_SELF_HOSTED_REMOTE_CACHE_SERVER: address,
    NX_SELF_HOSTED_REMOTE_CACHE_ACCESS_TOKEN: token,
  });
  if (copies.length === 0) await writeSources(workspace);
  return workspace;
}

test('a second machine with an empty disk boots, packs and tests without compiling', async () => {
  const copies = ['apps/hello', 'tools/test-kernel'];
  const first = await machine(tokens.write, server.url, ...copies);
  expect(await first.nx(...tasks)).toMatchObject({ exitCode: 0, cached: [] });
  const image = await readFile(first.path('apps/hello/.unikraft/build/hello.oci/index.json'), 'utf8');

  const second = await machine(tokens.read, server.url, ...copies);
  await second.withoutCompilers();
  // Whose process the plugin runs in makes no other keys.
  second.environment.NX_ISOLATE_PLUGINS = 'false';
  expect(await second.nx(...tasks)).toMatchObject({ exitCode: 0, ran: [] });
  expect(await readFile(second.path('apps/hello/.unikraft/build/hello.oci/index.json'), 'utf8')).toBe(image);
  const booted = await second.nx('run', 'hello:run');
  expect(booted).toMatchObject({ exitCode: 0, ran: ['hello:run'] });
  expect(booted.output).toContain('This line comes from the root file system.');
  expect(await second.nx('run', 'hello:test')).toMatchObject({ exitCode: 0, ran: ['hello:test'] });

  const entries = await readdir(join(folder, 'trusted'));
  // Two kernels, that both are built, the root file system and the image.
  expect(entries).toHaveLength(5);
  for (const entry of entries) {
    const content = gunzipSync((await readFile(join(folder, 'trusted', entry))).subarray(0, -40)).toString('latin1');
    const secrets = [first.folder, `${homedir()}/`, ...Object.values(tokens)];
    for (const secret of secrets) expect(content.includes(secret), `${secret} in ${entry}`).toBe(false);
  }
});

test('what a branch, or one who may only read, builds never reaches the trusted cache', async () => {
  const trusted = await machine(tokens.write, server.url);
  await trusted.nx(...tasks);
  const entries = await readdir(join(folder, 'trusted'));

  for (const [token, isolated] of [
    [tokens.read, 'true'],
    [tokens.branch, 'false'],
  ] as const) {
    const untrusted = await machine(token, server.url);
    untrusted.environment.NX_ISOLATE_PLUGINS = isolated;
    await untrusted.edit('apps/web/main.c', 'main', 'evil');
    const run = await untrusted.nx(...tasks);
    expect(run).toMatchObject({
      exitCode: 0,
      ran: ['web:build:fc-x86_64', 'web:build:qemu-x86_64', 'web:package'],
    });
    expect(run.output).not.toContain('warning');
    expect(await readdir(join(folder, 'trusted'))).toEqual(entries);
  }
  expect(await readdir(join(folder, 'branches'))).toHaveLength(4);
});

test.each<readonly [string, RequestListener, string]>([
  ['fails', (_request, response) => response.writeHead(500).end(), 'it answered 500'],
  ['says nothing', () => undefined, 'it said nothing for 1 s'],
  ['breaks off', (request) => request.socket.destroy(), 'goes on without it'],
  ['knows no token', (_request, response) => response.writeHead(401).end(), 'it answered 401'],
  ['gives what is no entry', (_request, response) => response.end('<html>Welcome to the hotel!</html>'), 'damaged'],
])('with a cache server that %s the build goes on', async (_name, answer, message) => {
  const other = createServer(answer);
  await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
  try {
    const { port } = other.address() as AddressInfo;
    const workspace = await machine(tokens.write, `http://127.0.0.1:${port}`);
    workspace.environment.NX_KRAFT_CACHE_TIMEOUT = '1';
    const run = await workspace.nx('run', 'image:rootfs');
    expect(run).toMatchObject({ exitCode: 0, ran: ['image:rootfs'] });
    expect(run.output).toContain('warning: the remote cache:');
    expect(run.output).toContain(message);
  } finally {
    other.closeAllConnections();
    other.close();
  }
});

/** A daemon keeps the process in which runs are prepared for one that begins before another has ended. */
test('with a daemon a run beside another, and one after another that was killed, seal what they make', async () => {
  const workspace = await machine(tokens.write, server.url);
  const command = 'touch begun; while [ ! -e go ]; do sleep 0.1; done; rm begun go';
  const targets = { wait: { command, options: { cwd: 'tool' } } };
  await workspace.write('tool/project.json', JSON.stringify({ name: 'tool', targets }));
  Object.assign(workspace.environment, { NX_DAEMON: 'true', CI: 'false' });
  try {
    for (const [app, signal] of [
      ['web', 'SIGKILL'],
      ['image', undefined],
    ] as const) {
      const other = workspace.start('run', 'tool:wait');
      await vi.waitUntil(() => existsSync(workspace.path('tool/begun')), { timeout: 60_000 });
      if (signal !== undefined) other.child.kill(signal);
      expect(await workspace.nx('run', `${app}:rootfs`)).toMatchObject({ exitCode: 0, ran: [`${app}:rootfs`] });
      await workspace.write('tool/go', '');
      await other.ended;
      await vi.waitUntil(() => !existsSync(workspace.path('tool/begun')), { timeout: 60_000 });
    }
    const entries = await readdir(join(folder, 'trusted'));
    expect(entries.length).toBeGreaterThanOrEqual(2);
    for (const entry of entries) {
      const content = await readFile(join(folder, 'trusted', entry));
      expect(content.subarray(-40).toString('latin1')).toMatch(/^nxkraft1/);
    }
  } finally {
    await workspace.nx('daemon', '--stop');
  }
});

test('with a server that gives the entry of another task the build is right', async () => {
  const first = await machine(tokens.write, server.url);
  await first.nx('run-many', '-t', 'rootfs');
  const rootfs = await readFile(first.path('apps/web/.unikraft/build/initramfs-x86_64.cpio'));

  const [any = ''] = await readdir(join(folder, 'trusted'));
  const wrong = await readFile(join(folder, 'trusted', any));
  const liar = createServer((request, response) => void request.resume().on('end', () => response.end(wrong)));
  await new Promise<void>((done) => liar.listen(0, '127.0.0.1', done));
  try {
    const { port } = liar.address() as AddressInfo;
    const second = await machine(tokens.write, `http://127.0.0.1:${port}`);
    const run = await second.nx('run-many', '-t', 'rootfs');
    expect(run.exitCode).toBe(0);
    expect(run.ran.length).toBeGreaterThanOrEqual(2);
    const made = await readFile(second.path('apps/web/.unikraft/build/initramfs-x86_64.cpio'));
    expect(made.equals(rootfs)).toBe(true);
  } finally {
    liar.closeAllConnections();
    liar.close();
  }
});
