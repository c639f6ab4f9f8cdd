import { run } from '@nx-kraft/base';
import { existsSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeImage } from '../../test/images.ts';
import { startRegistry, type TestRegistry } from '../../test/registry.ts';
import { listRemote, listStore, updateCatalog } from '../catalog.ts';
import { findRuntime } from '../runtime.ts';
import { BlobSources } from '../blob-sources.ts';
import { openLayer, readImage } from '../image.ts';
import { pullImage } from '../pull.ts';
import { pushImage } from '../push.ts';
import { parseReference } from '../reference.ts';
import { removeImage } from '../remove-image.ts';
import { listEntries, selectEntries } from '../select.ts';
import { ImageStore } from '../store.ts';
import type { Outcome } from '../transfer.ts';
import { checkLogin, RegistryClient } from './client.ts';
import { login, probeLogin } from './login.ts';
import { Repository } from './repository.ts';

const user = { name: 'alice', password: 'pass:word' };
const nobody = () => Promise.resolve(undefined);
const targets = [{}, { platform: 'fc' }, { architecture: 'arm64' }];

let folder: string;
let store: ImageStore;
let plain: TestRegistry;
let secure: TestRegistry;
let client: RegistryClient;
beforeAll(async () => {
  plain = await startRegistry();
  secure = await startRegistry({ tls: true, user });
});
afterAll(async () => {
  await plain.stop();
  await secure.stop();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'registry-test-'));
  store = await ImageStore.open(join(folder, 'store'));
  client = new RegistryClient({ credentials: nobody });
});
afterEach(async () => {
  client.close();
  await rm(folder, { recursive: true });
});

const push = async (name: string, to: string, options: Parameters<typeof makeImage>[2] = { targets }) => {
  const image = await makeImage(folder, name, options);
  const { reference } = await store.addLayout(image.layoutFolder);
  const outcomes: Outcome[] = [];
  const counter = countBytes();
  const pushed = await pushImage(client, store.layout, await store.resolve(reference), parseReference(to), {
    sources: new BlobSources(store),
    onBlob: (_, outcome) => outcomes.push(outcome),
    ...counter.options,
  });
  return { ...pushed, ...counter.counts, outcomes: outcomes.toSorted() };
};

/** Counts what a transfer tells of its bytes. */
function countBytes() {
  const counts = { total: 0, bytes: 0 };
  const onTotal = (bytes: number): void => void (counts.total = bytes);
  const onBytes = (bytes: number): void => void (counts.bytes += bytes);
  return { counts, options: { onTotal, onBytes } };
}

test('what is pushed is pulled with the same digest, for the platform that is wanted only', async () => {
  const pushed = await push('app', `${plain.host}/app:1`);
  const other = await ImageStore.open(join(folder, 'other'));
  const wanted = { platform: 'kvm', architecture: 'amd64' };
  const { counts, options } = countBytes();
  const pulled = await pullImage(client, parseReference(`${plain.host}/app:1`), other, { wanted, ...options });
  expect(pushed.total).toBeGreaterThan(counts.total);
  expect([pushed.bytes, counts.bytes]).toEqual([pushed.total, counts.total]);
  expect(pulled.digest).toBe(pushed.digest);
  expect(pulled.entries.map(({ platform }) => `${platform.os}/${platform.architecture}`)).toEqual(['qemu/x86_64']);
  // Index, manifest, configuration, kernel and root filesystem.
  expect(await other.layout.blobFiles()).toHaveLength(5);
  await pullImage(client, parseReference(`${plain.host}/app:1`), other);
  expect(await other.layout.blobFiles()).toHaveLength(9);
});

test('nothing is sent twice, and what another repository has is mounted', async () => {
  expect((await push('twice', `${plain.host}/first:1`)).outcomes).toEqual(Array<Outcome>(5).fill('sent'));
  expect(await push('twice', `${plain.host}/first:1`)).toMatchObject({ wasThere: true, outcomes: [] });
  expect(await push('twice', `${plain.host}/first:2`)).toMatchObject({ wasThere: false, outcomes: [] });
  expect((await push('twice', `${plain.host}/second:1`)).outcomes).toEqual(Array<Outcome>(5).fill('mounted'));
});

test('large blobs go up in pieces if asked', async () => {
  client.close();
  client = new RegistryClient({ credentials: nobody, chunkSize: 100_000 });
  const kernel = Buffer.alloc(350_001, 'kernel of some size ');
  const { digest } = await push('pieces', `${plain.host}/pieces:1`, { kernel });
  const other = await ImageStore.open(join(folder, 'other'));
  expect((await pullImage(client, parseReference(`${plain.host}/pieces:1`), other)).digest).toBe(digest);
});

test('machines of different architectures push their parts of one image', async () => {
  const name = parseReference(`${plain.host}/parts:1`);
  const digests: string[] = [];
  for (const architecture of ['x86_64', 'arm64', 'x86_64']) {
    const image = await makeImage(folder, architecture, { targets: [{ architecture }] });
    const { reference } = await store.addLayout(image.layoutFolder);
    const root = await store.resolve(reference);
    digests.push((await pushImage(client, store.layout, root, name, { strategy: 'merge' })).digest);
  }
  const alone = await store.resolve(parseReference('x86_64'));
  await expect(pushImage(client, store.layout, alone, name, { strategy: 'abort' })).rejects.toMatchObject({
    code: 'IMAGE_EXISTS',
  });
  expect(digests[2]).toBe(digests[1]);
  const other = await ImageStore.open(join(folder, 'other'));
  const { entries } = await pullImage(client, name, other);
  expect(entries.map(({ platform }) => platform.architecture)).toEqual(['arm64', 'x86_64']);
});

test('the catalogue is brought here once and then asked without the network', async () => {
  await push('listed-app', `${plain.host}/apps/listed:latest`);
  await push('other-app', `${plain.host}/apps/unlisted:1`);
  const other = await ImageStore.open(join(folder, 'other'));
  const { updated, skipped } = await updateCatalog(client, plain.host, other);
  expect(updated.map(({ repository }) => repository)).toContain('apps/listed');
  expect(skipped.map(({ repository }) => repository)).toContain('apps/unlisted');
  const rows = await listStore(other, { name: 'apps/*' });
  expect(rows.map(({ platform, isPulled }) => [platform, isPulled])).toEqual([
    ['qemu/x86_64', false],
    ['fc/x86_64', false],
    ['qemu/arm64', false],
  ]);
  const name = parseReference(`${plain.host}/apps/listed`);
  const remote = await listRemote(client, [name], other, { architecture: 'arm64' });
  expect(remote).toEqual(rows.slice(2));

  const runtime = await findRuntime(name, { platform: 'fc' }, other, client);
  expect(runtime.entry.platform.os).toBe('fc');
  expect((await listStore(other, { platform: 'fc', name: 'apps/*' }))[0]?.isPulled).toBe(true);
  const offline = await findRuntime(name, { platform: 'fc' }, other);
  expect(offline.digest).toBe(runtime.digest);
});

test('all repositories and tags of a registry can be listed', async () => {
  await push('listed', `${plain.host}/listed:b`);
  await push('listed', `${plain.host}/listed:a`);
  const repositories = await client.repositories(plain.host);
  expect(repositories).toContain('listed');
  const tags = await new Repository(client, parseReference(`${plain.host}/listed`)).tags();
  expect(tags.toSorted()).toEqual(['a', 'b']);
});

test('an image is removed by name or digest, and one that is not there is told', async () => {
  const { digest } = await push('gone', `${plain.host}/gone:1`);
  const name = parseReference(`${plain.host}/gone:1`);
  expect(await removeImage(client, name)).toBe(digest);
  await expect(removeImage(client, name)).rejects.toMatchObject({ code: 'IMAGE_MISSING' });
  await push('gone', `${plain.host}/gone:1`);
  expect(await removeImage(client, parseReference(`${plain.host}/gone@${digest}`))).toBe(digest);
});

describe('a registry with TLS and users', () => {
  const alice = () => Promise.resolve({ username: user.name, password: user.password });

  test('takes those it knows, over connections that are checked', async () => {
    client = new RegistryClient({ authorities: [secure.authority ?? ''], credentials: alice });
    await checkLogin(secure.host, client);
    // Large enough for a connection of its own.
    const pushed = await push('safe', `${secure.host}/safe:1`, { kernel: randomBytes(3_000_000) });
    const other = await ImageStore.open(join(folder, 'other'));
    expect((await pullImage(client, parseReference(`${secure.host}/safe:1`), other)).digest).toBe(pushed.digest);
  });

  test('refuses others, and is refused without its authority', async () => {
    const refused = push('safe', `${secure.host}/safe:2`);
    await expect(refused).rejects.toMatchObject({ code: 'REGISTRY_UNTRUSTED' });
    client = new RegistryClient({ insecure: [secure.host], credentials: nobody });
    await expect(checkLogin(secure.host, client)).rejects.toMatchObject({ code: 'REGISTRY_DENIED' });
    const wrong = () => Promise.resolve({ username: user.name, password: 'wrong' });
    client = new RegistryClient({ insecure: [secure.host], credentials: wrong });
    await expect(push('safe', `${secure.host}/safe:3`)).rejects.toMatchObject({
      code: 'REGISTRY_DENIED',
      hint: expect.stringContaining('login') as string,
    });
  });

  test('keeps a login that it takes, and no other', async () => {
    const environment = { HOME: folder, NX_KRAFT_AUTH_FILE: join(folder, 'auth.json') };
    const options = { authorities: [secure.authority ?? ''], environment };
    await expect(login(secure.host, user.name, 'wrong', options)).rejects.toMatchObject({ code: 'REGISTRY_DENIED' });
    expect(existsSync(join(folder, 'auth.json'))).toBe(false);
    await login(secure.host, user.name, user.password, options);
    await probeLogin(secure.host, options);
    const credentials = () => Promise.resolve({ username: user.name, password: 'old' });
    await expect(probeLogin(secure.host, { ...options, credentials })).rejects.toThrow(/refuses the credentials/);
    client = new RegistryClient(options);
    await checkLogin(secure.host, client);
  });

  test('takes the users of Docker and Podman', async () => {
    const auth = Buffer.from(`${user.name}:${user.password}`).toString('base64');
    await writeFile(join(folder, 'config.json'), JSON.stringify({ auths: { [secure.host]: { auth } } }));
    const environment = { HOME: folder, DOCKER_CONFIG: folder };
    client = new RegistryClient({ authorities: [secure.authority ?? ''], environment });
    await checkLogin(secure.host, client);
  });
});

describe('skopeo and umoci', () => {
  const skopeo = (...args: string[]) => run('skopeo', args);

  test('read what we push, and keep its digests', async () => {
    const { digest } = await push('peers', `${plain.host}/peers:1`);
    const raw = await skopeo('inspect', '--tls-verify=false', '--raw', `docker://${plain.host}/peers:1`);
    expect(JSON.parse(raw)).toMatchObject({ manifests: [{}, {}, {}] });
    const copy = join(folder, 'copy');
    const from = `docker://${plain.host}/peers:1`;
    await skopeo('copy', '--all', '--preserve-digests', '--src-tls-verify=false', from, `oci:${copy}:1`);
    const again = await ImageStore.open(join(folder, 'again'));
    const { descriptor } = await again.addLayout(copy, { reference: parseReference('peers:1') });
    expect(descriptor.digest).toBe(digest);
  });

  test('umoci unpacks what we package', async () => {
    const { layoutFolder } = await makeImage(folder, 'unpacked');
    const bundle = join(folder, 'bundle');
    // It makes no runtime bundle for what is not Linux, only the files.
    await run('umoci', ['raw', 'unpack', '--rootless', '--image', `${layoutFolder}:latest`, bundle]);
    expect(await readdir(join(bundle, 'unikraft/bin'))).toEqual(['initrd', 'kernel']);
  });

  test('push ordinary containers that we read, compressed as they like', async () => {
    const layout = join(folder, 'container');
    const bundle = join(folder, 'bundle');
    await run('umoci', ['init', '--layout', layout]);
    await run('umoci', ['new', '--image', `${layout}:1`]);
    await run('umoci', ['unpack', '--rootless', '--image', `${layout}:1`, bundle]);
    await writeFile(join(bundle, 'rootfs/hello'), 'hello from a layer\n');
    await run('umoci', ['repack', '--image', `${layout}:1`, bundle]);
    await run('umoci', ['config', '--image', `${layout}:1`, '--config.cmd', '/hello', '--config.env', 'A=1']);
    for (const form of ['oci', 'v2s2'])
      for (const compression of ['gzip', 'zstd']) {
        // Docker's form has no zstd.
        const format = compression === 'zstd' ? 'oci' : form;
        const to = `${plain.host}/container:${form}-${compression}`;
        const how = ['--dest-compress', `--dest-compress-format=${compression}`, '--format', format];
        await skopeo('copy', ...how, '--dest-tls-verify=false', `oci:${layout}:1`, `docker://${to}`);
        const repository = new Repository(client, parseReference(to));
        const root = await repository.resolve(`${form}-${compression}`);
        const wanted = { platform: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch };
        const [entry] = selectEntries(await listEntries(repository, root), wanted, to);
        const image = await readImage(repository, entry?.digest ?? root.descriptor.digest);
        expect(image.config.config).toMatchObject({
          Cmd: ['/hello'],
          Env: expect.arrayContaining(['A=1']) as string[],
        });
        const tar = await buffer(openLayer(repository, image.layers[0] ?? expect.fail('no layer')));
        expect(tar.includes('hello from a layer')).toBe(true);
      }
  });
});
