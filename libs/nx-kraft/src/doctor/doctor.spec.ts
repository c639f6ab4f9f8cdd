import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { arch, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { System } from '@nx-kraft/base/packages';
import type { Result } from './check.ts';
import { examine } from './examine.ts';
import { formatResults } from './report.ts';

const debian: System = { name: 'Debian', family: 'apt', wsl: false };
const qemu = arch() === 'arm64' ? 'qemu-system-aarch64' : 'qemu-system-x86_64';

let folder: string;
let servers: Server[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'doctor-'));
  servers = [];
  await mkdir(join(folder, 'bin'));
  vi.stubEnv('PATH', join(folder, 'bin'));
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const server of servers) server.close();
  await rm(folder, { recursive: true });
});

/** Puts programs into the only folder of PATH: each a line of shell. */
async function install(programs: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, line] of Object.entries(programs)) {
    const file = join(folder, 'bin', name);
    await writeFile(file, `#!/bin/sh\n${line}\n`);
    await chmod(file, 0o755);
  }
}

async function results(env: NodeJS.ProcessEnv = {}, system = debian): Promise<ReadonlyMap<string, Result>> {
  const home = { HOME: folder, DOCKER_HOST: `unix://${folder}/docker.sock`, ...env };
  const found = await examine({ system, root: folder, env: { PATH: join(folder, 'bin'), ...home } });
  return new Map(found.map((result) => [result.name, result]));
}

/** The host and port where a server listens, until the test ends. */
async function listen(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('on a machine with nothing each check tells what that costs and how to get it', async () => {
  const found = await results();
  expect(found.get('gcc')).toMatchObject({ state: 'missing', remedy: 'sudo apt-get install --yes gcc' });
  expect(found.get(qemu)).toMatchObject({ state: 'missing', needed: true });
  expect(found.get('KVM')?.state).toBe('missing');
  expect(found.get('mount namespaces')).toMatchObject({ detail: 'not in PATH' });
  expect(found.get('builder')?.detail).toMatch(/buildkit: .*docker: .*podman: .*buildah: /);
  expect(found.get('Nx')?.detail).toBe(`not installed in ${folder}`);
  expect(found.get('plugin')?.remedy).toContain('"plugins" in nx.json');
  for (const { state, cost, remedy } of found.values()) {
    expect(cost).toMatch(/\.$/);
    expect(state === 'ok').toBe(remedy === undefined);
  }
  const report = formatResults(debian, [...found.values()]);
  expect(report).toContain('Needed and not in order: gcc, make, flex, bison, python3, git,');
  expect(report).toMatch(/sudo apt-get install --yes gcc make flex bison python3 git qemu-system-\w+$/);
});

test('programs that are there are told with their versions, and those that do not start as broken', async () => {
  await install({
    gcc: 'echo gcc 99; echo more',
    'mkfs.erofs': 'echo mkfs.erofs 1.5; echo "mkfs.erofs: unrecognized option" >&2; exit 1',
    flex: 'echo no >&2; exit 3',
    podman: 'echo podman 9',
  });
  const found = await results();
  expect(found.get('gcc')).toMatchObject({ state: 'ok', detail: 'gcc 99' });
  expect(found.get('mkfs.erofs')).toMatchObject({ state: 'ok', detail: 'mkfs.erofs 1.5' });
  expect(found.get('flex')).toMatchObject({ state: 'broken', detail: 'flex exited with 3' });
  expect(found.get('builder')).toMatchObject({ state: 'ok', detail: 'podman; the first is used' });
});

test('KVM counts only when a machine has booted, and WSL is told its own setting', async () => {
  await install({ [qemu]: 'echo "no such accelerator" >&2; exit 1' });
  const found = await results({}, { ...debian, wsl: true });
  expect(found.get('KVM')?.state).toBe('missing');
  expect(found.get('KVM')?.remedy).toContain('nestedVirtualization=true');
});

test('Nx is too old, right, or not there', async () => {
  const nx = join(folder, 'node_modules/nx');
  await mkdir(nx, { recursive: true });
  await writeFile(join(nx, 'package.json'), '{"name":"nx","version":"19.8.1"}');
  await writeFile(join(folder, 'nx.json'), '{"plugins":[{"plugin":"nx-kraft","options":{}}]}');
  const found = await results();
  expect(found.get('Nx')).toMatchObject({ state: 'broken', remedy: expect.stringContaining('npm install') as string });
  expect(found.get('Nx')?.detail).toMatch(/^19\.8\.1; the plugin needs \d+ or \d+$/);
  expect(found.get('plugin')?.state).toBe('ok');
});

test('log-ins are tried with their registries and told without their secrets', async () => {
  const server = createServer((request, response) => {
    const isKnown = request.headers.authorization === 'Basic dXNlcjpzZWNyZXQ=';
    response.writeHead(isKnown ? 200 : 401, { 'WWW-Authenticate': 'Basic realm="test"' }).end();
  });
  const host = await listen(server);
  const file = join(folder, 'auth.json');
  const env = { NX_KRAFT_AUTH_FILE: file };
  const logIn = (auths: Readonly<Record<string, string>>): Promise<void> => {
    const entries = Object.entries(auths).map(([name, text]) => [name, { auth: Buffer.from(text).toString('base64') }]);
    return writeFile(file, JSON.stringify({ auths: Object.fromEntries(entries) as unknown }));
  };
  await logIn({ [`https://${host}/v2/`]: 'user:secret' });
  expect((await results(env)).get('registry log-ins')).toMatchObject({ state: 'ok', detail: `${host} (${file})` });
  await logIn({ [host]: 'user:0ld', '127.0.0.1:9': 'user:secret' });
  const found = (await results(env)).get('registry log-ins');
  expect(found?.state).toBe('broken');
  expect(found?.detail).toMatch(/: the registry refuses the credentials, 127\.0\.0\.1:9 \(.*\): \w/);
  expect(found?.remedy).toContain('Log in with');
  expect(JSON.stringify(found)).not.toMatch(/0ld|secret/);
  vi.stubEnv('NX_KRAFT_OFFLINE', '1');
  expect((await results(env)).get('registry log-ins')).toMatchObject({
    state: 'ok',
    detail: expect.stringMatching(/; not asked, as the network must not be used$/) as string,
  });
  await writeFile(file, '{');
  expect((await results(env)).get('registry log-ins')).toMatchObject({ state: 'broken' });
});

test.each([
  ['404 200', 'ok', 'the token reads and writes; entries are sealed without a secret'],
  ['404 403', 'ok', 'the token reads only'],
  ['200 409', 'ok', 'the token reads and writes'],
  ['401 401', 'broken', 'refuses the token (401)'],
  ['500 500', 'broken', 'it answered 500'],
])('a remote cache that answers %s is %s', async (answers, state, detail) => {
  const [get, put] = answers.split(' ').map(Number);
  const server = createServer((request, response) => {
    request.resume();
    const known = request.headers.authorization === 'Bearer token';
    response.writeHead((known ? { GET: get, PUT: put }[request.method ?? ''] : 400) ?? 405).end();
  });
  const env = {
    NX_SELF_HOSTED_REMOTE_CACHE_SERVER: `http://${await listen(server)}`,
    NX_SELF_HOSTED_REMOTE_CACHE_ACCESS_TOKEN: 'token',
  };
  const found = (await results(env)).get('remote cache');
  expect(found?.state).toBe(state);
  expect(found?.detail).toContain(detail);
});

test('a remote cache that is down is told with the reason', async () => {
  const found = (await results({ NX_SELF_HOSTED_REMOTE_CACHE_SERVER: 'http://127.0.0.1:9' })).get('remote cache');
  expect(found).toMatchObject({ state: 'broken', remedy: expect.stringContaining('Builds go on') as string });
});

test('each disk is told once, with what lies there', async () => {
  const store = join(folder, 'store');
  const found = (await results({ NX_KRAFT_STORE: store })).get('disk space');
  expect(found?.detail).toMatch(/^free: [\d.]+ GiB \(/);
  for (const name of ['workspace', "Nx's cache", 'sources', 'objects', 'images', 'temporary files']) {
    expect(found?.detail.split(name)).toHaveLength(2);
  }
});

test('where a system has no package, that is said instead of a wrong line', async () => {
  expect((await results({}, { name: 'macOS', family: 'brew', wsl: false })).get('gcc')?.remedy).toContain(
    'Not on macOS',
  );
  expect((await results({}, { name: 'NixOS', family: undefined, wsl: false })).get('make')?.remedy).toContain(
    "Debian's is",
  );
  const alpine: System = { name: 'Alpine Linux v3.22', family: 'apk', wsl: false };
  expect((await results({}, alpine)).get('gcc')?.remedy).toBe('apk add gcc musl-dev');
});
