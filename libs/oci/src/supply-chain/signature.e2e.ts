import { run } from '@nx-kraft/base';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeImage } from '../../test/images.ts';
import { startRegistry, type TestRegistry } from '../../test/registry.ts';
import { attach, fetchAttachments } from '../attachments.ts';
import { decodeManifest } from '../decode.ts';
import type { Digest } from '../digest.ts';
import { Layout } from '../layout.ts';
import { pullImage } from '../pull.ts';
import { pushImage } from '../push.ts';
import { parseReference, type Reference } from '../reference.ts';
import { RegistryClient } from '../registry/client.ts';
import { Repository } from '../registry/repository.ts';
import { ImageStore } from '../store.ts';
import { sbomAttachment } from './sbom.ts';
import { signImage } from './signature.ts';

let registry: TestRegistry;
let folder: string;
let client: RegistryClient;
let ours: { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
let other: typeof ours;
beforeAll(async () => {
  registry = await startRegistry();
  folder = await mkdtemp(join(tmpdir(), 'signature-'));
  client = new RegistryClient({ credentials: () => Promise.resolve(undefined) });
  ours = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
});
afterAll(async () => {
  client.close();
  await registry.stop();
  await rm(folder, { recursive: true });
});

const push = async (name: string): Promise<{ reference: Reference; digest: Digest }> => {
  const { layoutFolder, digest } = await makeImage(folder, name);
  const layout = await Layout.open(layoutFolder);
  const [descriptor] = await layout.roots();
  const root = { descriptor: descriptor ?? expect.fail(), bytes: await layout.readBlob(digest) };
  const sbom = { name, version: '1', components: [], toolVersion: '1' };
  await attach(layout, root.descriptor, sbomAttachment(sbom));
  const reference = parseReference(`${registry.host}/${name}:1`);
  await pushImage(client, layout, root, reference);
  return { reference, digest };
};
const pull = async (reference: Reference, keys: readonly KeyObject[], prefix = '') => {
  const store = await ImageStore.open(await mkdtemp(join(folder, 'store-')));
  return pullImage(client, reference, store, { policy: { rules: [{ prefix, keys }] } });
};

test('attachments are listed for registries that keep no list of referrers', async () => {
  const { reference, digest } = await push('attached');
  await push('attached');
  const attached = await fetchAttachments(client, reference, digest);
  expect(attached.map(({ artifactType }) => artifactType)).toEqual(['application/vnd.cyclonedx+json']);
  expect(JSON.parse(attached[0]?.content.toString() ?? '')).toMatchObject({ bomFormat: 'CycloneDX' });
});

test('a policy lets through what the right key has signed', async () => {
  const { reference, digest } = await push('signed');
  await expect(pull(reference, [ours.publicKey])).rejects.toMatchObject({
    code: 'SIGNATURE_INVALID',
    message: expect.stringContaining('not signed') as string,
  });
  await pull(reference, []);
  await pull(reference, [ours.publicKey], 'unikraft.org/');
  await signImage(client, reference, digest, other.privateKey);
  await expect(pull(reference, [ours.publicKey])).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
  await signImage(client, reference, digest, ours.privateKey);
  expect((await pull(reference, [ours.publicKey])).digest).toBe(digest);
  expect((await pull(reference, [other.publicKey])).digest).toBe(digest);
});

test('a signature for another image is none', async () => {
  const [a, b] = [await push('one'), await push('two')];
  await signImage(client, a.reference, a.digest, ours.privateKey);
  const signatures = await new Repository(client, a.reference).resolve(`${a.digest.replace(':', '-')}.sig`);
  const layout = await Layout.create(join(folder, 'forged'));
  const forged = { ...b.reference, tag: `${b.digest.replace(':', '-')}.sig` };
  const source = new Repository(client, a.reference);
  const { config, layers } = decodeManifest(signatures.bytes, 'signatures');
  for (const blob of [config, ...layers]) await layout.writeBlob(await source.readBlob(blob.digest), blob.mediaType);
  await layout.writeBlob(signatures.bytes, signatures.descriptor.mediaType);
  await pushImage(client, layout, signatures, forged);
  await expect(pull(b.reference, [ours.publicKey])).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
});

test('openssl verifies what we sign, once however often it is signed', async () => {
  const { reference, digest } = await push('openssl');
  await signImage(client, reference, digest, ours.privateKey);
  await signImage(client, reference, digest, ours.privateKey);
  const repository = new Repository(client, reference);
  const { bytes } = await repository.resolve(`${digest.replace(':', '-')}.sig`);
  const { layers } = decodeManifest(bytes, 'signatures');
  expect(layers).toHaveLength(1);
  const [layer] = layers;
  const payload = await repository.readBlob(layer?.digest ?? expect.fail());
  expect(JSON.parse(payload.toString())).toMatchObject({
    critical: { image: { 'docker-manifest-digest': digest }, type: 'cosign container image signature' },
  });
  const signature = layer?.annotations?.['dev.cosignproject.cosign/signature'] ?? '';
  await writeFile(join(folder, 'payload'), payload);
  await writeFile(join(folder, 'sig'), Buffer.from(signature, 'base64'));
  await writeFile(join(folder, 'key.pub'), ours.publicKey.export({ type: 'spki', format: 'pem' }));
  const files = ['-verify', join(folder, 'key.pub'), '-signature', join(folder, 'sig'), join(folder, 'payload')];
  expect(await run('openssl', ['dgst', '-sha256', ...files])).toBe('Verified OK');
});
