import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { forgetCredentials, listLogins, loginFile, saveCredentials, userCredentials } from './credentials.ts';

let folder: string;
let environment: NodeJS.ProcessEnv;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'credentials-'));
  environment = { HOME: folder, DOCKER_CONFIG: join(folder, 'docker'), XDG_CONFIG_HOME: join(folder, 'config') };
});
afterEach(() => rm(folder, { recursive: true }));

const write = async (path: string, content: object) => {
  await mkdir(join(folder, path, '..'), { recursive: true });
  await writeFile(join(folder, path), JSON.stringify(content));
};
const base64 = (text: string) => Buffer.from(text).toString('base64');
const find = (registry: string) => userCredentials(environment)(registry);

/** A helper as Docker's: it reads the server's name and writes JSON, or why not. */
const makeHelper = async (name: string, script: string) => {
  const path = join(folder, 'bin', `docker-credential-${name}`);
  await mkdir(join(folder, 'bin'), { recursive: true });
  await writeFile(path, `#!/bin/sh\nread server\n${script}\n`);
  await chmod(path, 0o755);
  environment = { ...environment, PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH']}` };
};

test('the first file that knows the registry wins', async () => {
  expect(await find('unikraft.org')).toBeUndefined();
  await write('docker/config.json', { auths: { 'unikraft.org': { auth: base64('docker:pass:word') } } });
  expect(await find('unikraft.org')).toEqual({ username: 'docker', password: 'pass:word' });
  await write('auth.json', { auths: { 'unikraft.org': { username: 'podman', password: 'p' } } });
  environment = { ...environment, REGISTRY_AUTH_FILE: join(folder, 'auth.json') };
  expect(await find('unikraft.org')).toEqual({ username: 'podman', password: 'p' });
  await saveCredentials(loginFile(environment), 'unikraft.org', 'own', 'secret');
  expect(await find('unikraft.org')).toEqual({ username: 'own', password: 'secret' });
  const given = userCredentials(environment, () => Promise.resolve({ username: 'given', password: 'x' }));
  expect(await given('unikraft.org')).toEqual({ username: 'given', password: 'x' });
});

test('logging in keeps other registries and nobody else can read it', async () => {
  const path = loginFile(environment);
  await saveCredentials(path, 'a.org', 'a', '1');
  await saveCredentials(path, 'b.org', 'b', '2');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  await forgetCredentials(path, 'a.org');
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ auths: { 'b.org': { auth: base64('b:2') } } });
});

test('Docker Hub is found under the names that Docker gives it', async () => {
  await write('docker/config.json', { auths: { 'https://index.docker.io/v1/': { auth: base64('me:pw') } } });
  expect(await find('docker.io')).toEqual({ username: 'me', password: 'pw' });
  await write('docker/config.json', { auths: { 'docker.io': { identitytoken: 'refresh' } } });
  expect(await find('docker.io')).toEqual({ identityToken: 'refresh' });
});

test('log-ins are listed by the names that references have', async () => {
  const names = ['https://index.docker.io/v1/', 'https://registry.example:5000/v2/', 'other.example'];
  await write('docker/config.json', { auths: Object.fromEntries(names.map((name) => [name, {}])) });
  const found = (await listLogins(environment)).map(({ registry }) => registry);
  expect(found).toEqual(['docker.io', 'registry.example:5000', 'other.example']);
});

test('credential helpers are asked, for one registry or for all', async () => {
  await makeHelper('one', 'echo "{\\"Username\\":\\"u\\",\\"Secret\\":\\"$server\\"}"');
  await makeHelper(
    'all',
    'case $server in a.org) echo \'{"Username":"<token>","Secret":"t"}\';; *) echo "credentials not found in native keychain"; exit 1;; esac',
  );
  await write('docker/config.json', { credHelpers: { 'ghcr.io': 'one' }, credsStore: 'all', auths: { 'a.org': {} } });
  expect(await find('ghcr.io')).toEqual({ username: 'u', password: 'ghcr.io' });
  expect(await find('a.org')).toEqual({ identityToken: 't' });
  expect(await find('b.org')).toBeUndefined();
});

test('what cannot be understood is said, and never shown', async () => {
  await makeHelper('broken', 'echo secret-thing; exit 3');
  await write('docker/config.json', { credsStore: 'broken' });
  const failing = find('a.org');
  await expect(failing).rejects.toMatchObject({ code: 'CREDENTIALS_INVALID', at: join(folder, 'docker') });
  await expect(failing).rejects.not.toThrow(/secret-thing/);
  await writeFile(join(folder, 'docker/config.json'), '{');
  await expect(find('a.org')).rejects.toMatchObject({ at: join(folder, 'docker/config.json') });
  await write('docker/config.json', { auths: { 'a.org': { auth: base64('no colon') } } });
  await expect(find('a.org')).rejects.toMatchObject({ code: 'CREDENTIALS_INVALID' });
});
