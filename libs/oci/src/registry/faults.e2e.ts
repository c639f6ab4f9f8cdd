import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:https';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type FaultProxy, type Mishap, startFaultProxy } from '../../test/fault-proxy.ts';
import { makeImage } from '../../test/images.ts';
import { makeCertificate, startRegistry, type TestRegistry } from '../../test/registry.ts';
import { BlobSources } from '../blob-sources.ts';
import type { Digest } from '../digest.ts';
import { readImage } from '../image.ts';
import type { PackagedManifest } from '../package-plan.ts';
import { pullImage } from '../pull.ts';
import { pushImage } from '../push.ts';
import { parseReference } from '../reference.ts';
import { ImageStore } from '../store.ts';
import { RegistryClient, type RegistryOptions } from './client.ts';

/** Larger than what all buffers between two processes hold. */
const kernelSize = 8_000_000;

let registry: TestRegistry;
let proxy: FaultProxy;
let folder: string;
let store: ImageStore;
let digest: Digest;
let mishapOf: (line: string, request: IncomingMessage) => Mishap | undefined;
let client: RegistryClient;

beforeAll(async () => {
  registry = await startRegistry();
  proxy = await startFaultProxy(registry.host, (request, line) => mishapOf(line, request));
  folder = await mkdtemp(join(tmpdir(), 'faults-'));
  const image = await makeImage(folder, 'app', { kernel: randomBytes(kernelSize) });
  digest = image.digest;
  const local = await ImageStore.open(join(folder, 'local'));
  const { reference } = await local.addLayout(image.layoutFolder);
  const [{ digest: manifest }] = image.manifests as [PackagedManifest];
  kernelDigest = (await readImage(local.layout, manifest)).layers[0]?.digest ?? expect.fail('no kernel');
  mishapOf = () => undefined;
  client = makeClient();
  await pushImage(client, local.layout, await local.resolve(reference), name());
  client.close();
});
afterAll(async () => {
  await proxy.stop();
  await registry.stop();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  store = await ImageStore.open(await mkdtemp(join(folder, 'store-')));
  mishapOf = () => undefined;
  client = makeClient();
});
afterEach(() => client.close());

const makeClient = (options: RegistryOptions = {}) =>
  new RegistryClient({ credentials: () => Promise.resolve(undefined), ...options });
const name = (text = 'app:1') => parseReference(`${proxy.host}/${text}`);
const pull = () => pullImage(client, name(), store);
const isKernel = (line: string) => line.startsWith('GET') && line.includes(kernelDigest);
let kernelDigest: Digest;

/** The first so many requests of a kind go wrong. */
const first = (count: number, kind: (line: string) => boolean, mishap: Mishap) => {
  let left = count;
  mishapOf = (line) => (kind(line) && left-- > 0 ? mishap : undefined);
};

test('a broken connection is taken up where it broke', async () => {
  first(2, isKernel, { cutAfter: 3_000_000 });
  const start = proxy.log.length;
  expect((await pull()).digest).toBe(digest);
  const ranges = proxy.log
    .slice(start)
    .filter(isKernel)
    .map((line) => Number(/bytes=(\d+)-/.exec(line)?.[1] ?? 0));
  expect(ranges).toHaveLength(3);
  expect(ranges[1]).toBeGreaterThan(0);
  expect(ranges[2]).toBeGreaterThan(ranges[1] ?? NaN);
});

test('a pull that is killed goes on where it was', async () => {
  mishapOf = (line) => (isKernel(line) ? { hangAfter: 3_000_000 } : undefined);
  const script = `
    import { ImageStore, parseReference, pullImage, RegistryClient } from '${import.meta.resolve('../index.ts')}';
    const store = await ImageStore.open(${JSON.stringify(store.layout.folder)});
    const client = new RegistryClient({ credentials: async () => undefined });
    await pullImage(client, parseReference('${proxy.host}/app:1'), store);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
  const partial = join(store.layout.folder, 'partial');
  while (largestFile(partial) < 1_000_000) await sleep(20);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await store.images()).toEqual([]);

  mishapOf = () => undefined;
  const start = proxy.log.length;
  expect((await pull()).digest).toBe(digest);
  expect(proxy.log.slice(start).filter(isKernel)).toEqual([expect.stringMatching(/bytes=[1-9]\d+-$/)]);
  expect(await readdir(partial)).toEqual([]);
});

test('a registry that is busy is asked again when it says', async () => {
  first(2, () => true, { status: 429, headers: { 'Retry-After': '1' } });
  expect((await pull()).digest).toBe(digest);
});

test('a registry that fails for a while is asked again', async () => {
  first(3, (line) => line.includes('/blobs/'), { status: 503, body: 'no HTML here' });
  expect((await pull()).digest).toBe(digest);
});

test.each([
  [{ status: 500, body: '<html>' }, 'REGISTRY_FAILED'],
  [{ status: 429 }, 'REGISTRY_BUSY'],
  [{ status: 401, headers: { 'WWW-Authenticate': 'Basic realm="x"' } }, 'REGISTRY_DENIED'],
  [{ status: 403, body: '{"errors":[{"code":"DENIED","message":"not for you"}]}' }, 'REGISTRY_DENIED'],
  [{ status: 404, body: '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}' }, 'REGISTRY_MISSING'],
  [{ status: 200, body: '<html>please log in</html>' }, 'DOCUMENT_INVALID'],
  [{ status: 200, body: '{"schemaVersion":1}' }, 'DOCUMENT_INVALID'],
  [{ status: 302, headers: { Location: '/v2/app/manifests/1' } }, 'REGISTRY_FAILED'],
] as const)('an answer of %j is a clear fault, and the store stays as it was', async (mishap, code) => {
  mishapOf = () => mishap;
  await expect(pull()).rejects.toMatchObject({ code, hint: expect.any(String) as string });
  expect(await store.images()).toEqual([]);
});

test('a registry that hangs is given up in time', async () => {
  client = makeClient({ timeout: 200 });
  mishapOf = () => ({ hangAfter: 0 });
  await expect(pull()).rejects.toMatchObject({ code: 'REGISTRY_TIMEOUT' });
  mishapOf = (line) => (isKernel(line) ? { hangAfter: 100_000 } : undefined);
  await expect(pull()).rejects.toMatchObject({ code: 'REGISTRY_TIMEOUT' });
});

test('damaged and cut blobs never get into the store', async () => {
  mishapOf = (line) => (isKernel(line) ? { damage: 4_000_000 } : undefined);
  await expect(pull()).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  mishapOf = (line) => (isKernel(line) ? { endAfter: 1000 } : undefined);
  await expect(pull()).rejects.toMatchObject({ code: 'BLOB_TRUNCATED' });
  expect(await store.images()).toEqual([]);
  expect(store.layout.sizeOf(kernelDigest)).toBeUndefined();
  mishapOf = () => undefined;
  expect((await pull()).digest).toBe(digest);
});

test('a manifest that is not what its digest says is refused', async () => {
  mishapOf = (line) => (line.includes('/manifests/sha256') ? { damage: 30 } : undefined);
  await expect(pull()).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
});

test('an upload that breaks is made again, and no image is seen before it is whole', async () => {
  const image = await makeImage(folder, 'upload', { kernel: randomBytes(kernelSize) });
  await store.addLayout(image.layoutFolder, { reference: name('upload:1') });
  const root = await store.resolve(name('upload:1'));
  first(1, (line) => line.startsWith('PUT') && line.includes('/blobs/uploads/'), { cutUploadAfter: 1_000_000 });
  await pushImage(client, store.layout, root, name('upload:1'));
  const other = await ImageStore.open(await mkdtemp(join(folder, 'store-')));
  expect((await pullImage(client, name('upload:1'), other)).digest).toBe(image.digest);

  mishapOf = (line) => (line.startsWith('PUT') && line.includes('/blobs/uploads/') ? { status: 500 } : undefined);
  await expect(pushImage(client, store.layout, root, name('never:1'))).rejects.toMatchObject({
    code: 'REGISTRY_FAILED',
  });
  mishapOf = () => undefined;
  await expect(pullImage(client, name('never:1'), other)).rejects.toMatchObject({ code: 'REGISTRY_MISSING' });
});

test('pieces of an upload that breaks go on where they were', async () => {
  client = makeClient({ chunkSize: 1_000_000 });
  const image = await makeImage(folder, 'pieces', { kernel: randomBytes(kernelSize) });
  await store.addLayout(image.layoutFolder, { reference: name('pieces:1') });
  let patches = 0;
  mishapOf = (line) => (line.startsWith('PATCH') && ++patches === 3 ? { cutUploadAfter: 500_000 } : undefined);
  await pushImage(client, store.layout, await store.resolve(name('pieces:1')), name('pieces:1'));
  const other = await ImageStore.open(await mkdtemp(join(folder, 'store-')));
  expect((await pullImage(client, name('pieces:1'), other)).digest).toBe(image.digest);
});

test('tokens are fetched for what is wanted, with credentials for their server only', async () => {
  const asked: URL[] = [];
  mishapOf = (_, request) => {
    const url = new URL(request.url ?? '', `http://${proxy.host}`);
    if (url.pathname === '/token') {
      asked.push(url);
      expect(request.headers.authorization).toBe(`Basic ${Buffer.from('me:secret').toString('base64')}`);
      return { status: 200, body: '{"token":"good","expires_in":300}' };
    }
    const realm = `Bearer realm="http://${proxy.host}/token",service="test",scope="x"`;
    if (request.headers.authorization !== 'Bearer good') return { status: 401, headers: { 'WWW-Authenticate': realm } };
    return undefined;
  };
  client = makeClient({ credentials: () => Promise.resolve({ username: 'me', password: 'secret' }) });
  expect((await pull()).digest).toBe(digest);
  expect(asked.map((url) => [url.searchParams.get('service'), url.searchParams.getAll('scope')])).toEqual([
    ['test', ['repository:app:pull']],
  ]);
});

test('a refresh token is exchanged for one that pulls', async () => {
  let form = '';
  mishapOf = (line, request) => {
    if (line === 'POST /token') {
      request.on('data', (chunk: Buffer) => (form += chunk.toString()));
      return { status: 200, body: '{"access_token":"fresh"}' };
    }
    const realm = `Bearer realm="http://${proxy.host}/token",service="test"`;
    if (request.headers.authorization !== 'Bearer fresh')
      return { status: 401, headers: { 'WWW-Authenticate': realm } };
    return undefined;
  };
  client = makeClient({ credentials: () => Promise.resolve({ identityToken: 'long-lived' }) });
  expect((await pull()).digest).toBe(digest);
  expect(Object.fromEntries(new URLSearchParams(form))).toMatchObject({
    grant_type: 'refresh_token',
    refresh_token: 'long-lived',
    scope: 'repository:app:pull',
  });
});

test('credentials do not go to a server for tokens without TLS', async () => {
  const tls = await mkdtemp(join(folder, 'tls-'));
  const authority = await makeCertificate(tls);
  const [key, cert] = [readFileSync(join(tls, 'tls.key')), readFileSync(join(tls, 'tls.crt'))];
  const server = createServer({ key, cert }, (_, response) => {
    response.writeHead(401, { 'WWW-Authenticate': `Bearer realm="http://${proxy.host}/token"` }).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const address = server.address();
    const host = `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    const credentials = () => Promise.resolve({ username: 'me', password: 'secret' });
    client = makeClient({ authorities: [authority], credentials });
    const start = proxy.log.length;
    await expect(pullImage(client, parseReference(`${host}/app:1`), store)).rejects.toMatchObject({
      code: 'REGISTRY_FAILED',
      message: expect.stringContaining('plain HTTP') as string,
    });
    expect(proxy.log).toHaveLength(start);
  } finally {
    client.close();
    server.close();
  }
});

test('a blob that cannot be mounted after all is sent', async () => {
  const image = await makeImage(folder, 'mounting');
  await store.addLayout(image.layoutFolder, { reference: name('mounting:1') });
  const sources = new BlobSources(store);
  const root = await store.resolve(name('mounting:1'));
  await pushImage(client, store.layout, root, name('mounting:1'), { sources });
  mishapOf = (line) => (line.includes('mount=') ? { status: 403 } : undefined);
  const outcomes = new Set<string>();
  const onBlob = (_: unknown, outcome: string) => outcomes.add(outcome);
  await pushImage(client, store.layout, root, name('refused:1'), { sources, onBlob });
  expect([...outcomes]).toEqual(['sent']);
});

test('a redirect to another host gets no credentials', async () => {
  const other = await startFaultProxy(registry.host, (request) => {
    expect(request.headers.authorization).toBeUndefined();
    return undefined;
  });
  try {
    mishapOf = (line, request) => {
      if (request.headers.authorization === undefined) {
        return { status: 401, headers: { 'WWW-Authenticate': 'Basic realm="x"' } };
      }
      return isKernel(line) ? { status: 307, headers: { Location: `http://${other.host}${request.url}` } } : undefined;
    };
    client = makeClient({ credentials: () => Promise.resolve({ username: 'me', password: 'secret' }) });
    expect((await pull()).digest).toBe(digest);
    expect(other.log).toHaveLength(1);
  } finally {
    await other.stop();
  }
});

/** Size of the largest file in a folder, where files come and go; 0 when there is none. */
function largestFile(path: string): number {
  const names = existsSync(path) ? readdirSync(path) : [];
  return Math.max(0, ...names.map((file) => statSync(join(path, file), { throwIfNoEntry: false })?.size ?? 0));
}
