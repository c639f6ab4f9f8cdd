// `nx-kraft cloud` against the stand-in: what it asks for, shows and refuses.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { main } from '../../libs/nx-kraft/src/cli/main.ts';
import { type StandIn, standInToken, startStandIn } from './server.ts';

const image = `me/app@sha256:${'a'.repeat(64)}`;

let standIn: StandIn;
let folder: string;
let shown: string;
let told: string;

beforeEach(async () => {
  standIn = await startStandIn({ images: [image, 'nginx:latest'] });
  folder = await mkdtemp(join(tmpdir(), 'cloud-command-'));
  vi.stubEnv('UKC_METRO', standIn.url);
  vi.stubEnv('UKC_TOKEN', standInToken);
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((shown += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((told += String(text)), true));
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await standIn.close();
  await rm(folder, { recursive: true });
});

/** Runs `nx-kraft cloud`, and gives its exit code; `shown` and `told` have what it has written. */
async function cloud(...args: readonly string[]): Promise<number> {
  shown = '';
  told = '';
  return main(['cloud', ...args]);
}

test('an instance is created, listed, read, stopped, started and removed', async () => {
  const create = ['create', image, '-n', 'web', '-p', '443:8080', '-s', 'www', '-M', '256Mi', '-e', 'KEY=secret', '-S'];
  expect(await cloud('instance', ...create, '--scale-to-zero', 'on', '--', '/server', '--verbose')).toBe(0);
  expect(standIn.world.instances.get({ name: 'web' }).request).toMatchObject({
    image,
    args: ['/server', '--verbose'],
    env: { KEY: 'secret' },
    memory_mb: 256,
    scale_to_zero: { policy: 'on' },
    service_group: { domains: [{ name: 'www' }] },
  });
  await vi.waitFor(async () => {
    await cloud('vm', 'ls');
    expect(shown).toMatch(/^NAME +FQDN +STATE +STATUS +IMAGE +MEMORY +VCPUS +ARGS +BOOT TIME\n/);
    expect(shown).toMatch(/^web +www\.stand-in\.test +running +/m);
  });
  await cloud('instance', 'get', 'web');
  expect(JSON.parse(shown)).toMatchObject([{ name: 'web', env: ['KEY'] }]);
  expect(shown).not.toContain('secret');
  await cloud('instance', 'logs', 'web', '--tail', '1');
  expect(shown).toBe(`${image}\n`);
  expect(await cloud('instance', 'stop', 'web', '--drain-timeout', '10ms')).toBe(0);
  expect(shown).toBe('web\n');
  expect(await cloud('instance', 'start', '--all', '--wait', '1s')).toBe(0);
  expect(await cloud('instance', 'remove', '--stopped')).toBe(0);
  expect(shown).toBe('');
  expect(await cloud('instance', 'rm', 'web', '--json')).toBe(0);
  expect(JSON.parse(shown)).toMatchObject([{ name: 'web' }]);
  expect(standIn.world.instances.size).toBe(0);
});

test('services, and how they are scaled', async () => {
  await cloud('instance', 'create', image, '--name', 'first');
  expect(await cloud('service', 'create', '443:8080', '-n', 'web', '-d', 'www.example.com', '-l', '10')).toBe(0);
  expect(shown).toMatch(/^web +www\.example\.com +443:8080\/http\+tls, 80:443\/http\+redirect/m);
  expect(await cloud('scale', 'init', 'web', '-i', 'first', '-M', '4', '-w', '1m30s')).toBe(0);
  expect(await cloud('scale', 'add', 'web', '-n', 'busy', '-s', ':600/-1', '-s', '600:/1')).toBe(0);
  await cloud('scale', 'get', 'web');
  expect(shown).toMatch(/^web +true +1 +4 +90000 ms +1000 ms +first +busy$/m);
  await cloud('scale', 'get', 'web', '--policy', 'busy');
  expect(JSON.parse(shown)).toMatchObject([{ name: 'busy', steps: [{ upper_bound: 600 }, { lower_bound: 600 }] }]);
  expect(await cloud('scale', 'remove', 'web', 'busy')).toBe(0);
  expect(await cloud('scale', 'reset', 'web')).toBe(0);
  expect(await cloud('svc', 'rm', 'web')).toBe(0);
  expect(standIn.world.services.size).toBe(0);
});

test('volumes, certificates, images, quotas and metros', async () => {
  expect(await cloud('volume', 'create', '-n', 'data', '-s', '1Gi')).toBe(0);
  expect(await cloud('volume', 'import', '-v', 'data', '-s', '127.0.0.1:1/files')).toBe(1);
  expect(told).toContain('REGISTRY_UNREACHABLE');
  await cloud('instance', 'create', image, '--name', 'web');
  expect(await cloud('volume', 'attach', 'data', '--to', 'web', '--at', '/data')).toBe(0);
  await cloud('volume', 'ls');
  expect(shown).toMatch(/^data .* 1024 MiB +web/m);
  expect(await cloud('volume', 'remove', '--all')).toBe(0);
  expect(standIn.world.volumes.size).toBe(1);
  expect(await cloud('volume', 'detach', 'data')).toBe(0);
  expect(await cloud('volume', 'remove', '--all')).toBe(0);
  expect(standIn.world.volumes.size).toBe(0);

  const chain = join(folder, 'chain.pem');
  const key = join(folder, 'key.pem');
  await writeFile(chain, '-----BEGIN CERTIFICATE-----\n');
  await writeFile(key, '-----BEGIN PRIVATE KEY-----\n');
  expect(await cloud('cert', 'create', '-n', 'tls', '-c', 'www.example.com', '-C', chain, '-p', key)).toBe(0);
  await cloud('certificate', 'list');
  expect(shown).toMatch(/^tls .*www\.example\.com/m);

  await cloud('image', 'ls');
  expect(shown).toMatch(/^me\/app +latest/m);
  expect(shown).not.toContain('nginx');
  await cloud('image', 'ls', '--all');
  expect(shown).toContain('nginx');
  await cloud('quota');
  expect(shown).toMatch(/^instances +1 +\d+$/m);
  await cloud('user', '--json');
  expect(JSON.parse(shown)).toMatchObject({ account: 'me' });
  await cloud('metro');
  expect(shown).toMatch(/^fra0 +Frankfurt/m);
});

test('an image is deployed, found unchanged, and shown before', async () => {
  const call = [
    'deploy',
    image,
    '-p',
    '443:8080',
    '-s',
    'app',
    '-e',
    'MODE=test',
    '-e',
    'KEY',
    '--rollout-wait',
    '50ms',
  ];
  vi.stubEnv('KEY', 'hunter2');
  expect(await cloud(...call, '--dry-run')).toBe(0);
  expect(shown).toContain('+ instance app-v1');
  expect(shown).toContain('KEY (secret)');
  expect(standIn.world.instances.size).toBe(0);
  expect(await cloud(...call)).toBe(0);
  expect(shown).toContain('https://app.stand-in.test');
  expect(standIn.world.instances.get({ name: 'app-v1' }).request.env).toEqual({ MODE: 'test', KEY: 'hunter2' });
  expect(await cloud(...call, '--json')).toBe(0);
  expect(JSON.parse(shown)).toMatchObject({ name: 'app', changed: false });
  expect(shown + told).not.toContain('hunter2');
});

test.each([
  [['instance', 'stop'], 2, 'name what is meant, or give --all'],
  [['instance', 'stop', 'web', '--all'], 2, 'name what is meant'],
  [['instance', 'start', 'nobody'], 1, "No instance with id 'nobody'"],
  [['instance', 'start', 'web', '--wait', '5'], 2, 'a time such as'],
  [['deploy', 'me/other:latest'], 1, 'has no image me/other:latest'],
  [['deploy', image, '-e', 'NOBODY_SET_THIS'], 1, 'the environment has no NOBODY_SET_THIS'],
  [['deploy', image, '-n', 'No Name'], 1, 'small letters, digits and hyphens'],
  [['volume', 'create'], 2, '--size'],
  [['volume', 'import', '-v', 'nothing'], 1, "No volume with id 'nothing'"],
  [['tunnel', '80'], 1, 'cannot be forwarded'],
])('%j is refused', async (args, code, why) => {
  expect(await cloud(...args)).toBe(code);
  expect(told).toContain(why);
});

test('without a token, and while the network must not be used, nothing is asked', async () => {
  vi.stubEnv('NX_KRAFT_OFFLINE', '1');
  expect(await cloud('instance', 'list')).toBe(1);
  expect(told).toContain('the network must not be used');
  vi.stubEnv('NX_KRAFT_OFFLINE', '');
  vi.stubEnv('UKC_TOKEN', '');
  vi.stubEnv('HOME', folder);
  expect(await cloud('instance', 'list')).toBe(1);
  expect(told).toContain('there is no token');
  expect(standIn.requests).toEqual([]);
});
