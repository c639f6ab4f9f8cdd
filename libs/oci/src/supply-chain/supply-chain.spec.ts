import { CpioWriter, createFile } from '@nx-kraft/archive';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cycloneDxErrors } from '../../test/cyclonedx.ts';
import { makeImage } from '../../test/images.ts';
import { attach, attachedTo } from '../attachments.ts';
import { Layout } from '../layout.ts';
import { parseReference } from '../reference.ts';
import { ImageStore } from '../store.ts';
import { isSignedBy, readPrivateKey, readPublicKey, signBytes } from './keys.ts';
import { provenanceAttachment, type ProvenancePlan } from './provenance.ts';
import { rootfsPackages } from './rootfs-packages.ts';
import { type Component, sbomAttachment } from './sbom.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'supply-'));
});
afterEach(() => rm(folder, { recursive: true }));

const components: readonly Component[] = [
  { kind: 'library', name: 'lwip', commit: 'a'.repeat(40), licence: 'BSD-3-Clause', url: 'https://example.org/lwip' },
  { kind: 'package', name: 'libc6', version: '2.36', purl: 'pkg:deb/debian/libc6@2.36', licence: 'GPL v2 or so' },
];
const sbom = (list: readonly Component[]) =>
  sbomAttachment({ name: 'unikraft.org/app', version: '1', components: list, toolVersion: '0.1.0' });

test('the list of components has what is known of each, and depends on nothing else', () => {
  const { content, artifactType } = sbom(components);
  expect(artifactType).toBe('application/vnd.cyclonedx+json');
  expect(sbom(components.toReversed()).content).toEqual(content);
  expect(sbom(components.slice(1)).content).not.toEqual(content);
  const json = JSON.parse(content.toString()) as Record<string, unknown>;
  expect(json).toMatchObject({
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: expect.stringMatching(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    ) as string,
    components: [
      {
        type: 'library',
        name: 'lwip',
        version: 'a'.repeat(40),
        licenses: [{ license: { id: 'BSD-3-Clause' } }],
        externalReferences: [{ type: 'vcs', url: 'https://example.org/lwip' }],
      },
      { name: 'libc6', purl: 'pkg:deb/debian/libc6@2.36', licenses: [{ license: { name: 'GPL v2 or so' } }] },
    ],
  });
});

test('the list of components is valid by the schema of CycloneDX, whatever licences are called', () => {
  const licences = [
    'MIT',
    'GPL-2.0-only WITH Linux-syscall-note',
    '(MIT OR Apache-2.0+) AND ISC',
    'BSD',
    'MIT OR',
    'GPL v2',
  ];
  const more = licences.map((licence, index): Component => ({ kind: 'package', name: `p${index}`, licence }));
  const bare: Component = { kind: 'library', name: 'local' };
  const document = JSON.parse(sbom([...components, ...more, bare]).content.toString()) as {
    components: { name: string; licenses?: unknown }[];
  };
  expect(cycloneDxErrors(document)).toEqual([]);
  expect(cycloneDxErrors({ ...document, components: [{ name: 'no type' }] })).not.toEqual([]);
  const licencesOf = document.components.filter(({ name }) => /^p\d/.test(name)).map(({ licenses }) => licenses);
  expect(licencesOf).toEqual([
    [{ license: { id: 'MIT' } }],
    ...licences.slice(1, 3).map((expression) => [{ expression }]),
    ...licences.slice(3).map((name) => [{ license: { name } }]),
  ]);
});

test('the packages of a root filesystem are found where package managers keep them', () => {
  const path = join(folder, 'rootfs.cpio');
  const files = {
    'etc/os-release': 'NAME=Ubuntu\nID=ubuntu\n',
    'lib/apk/db/installed': 'P:musl\nV:1.2.4-r2\nA:x86_64\nL:MIT\n\nP:zlib\nV:1.3\n\n',
    'srv/node_modules/@scope/pkg/package.json': '{"name":"@scope/pkg","version":"1.0.0","license":"ISC"}',
    'srv/node_modules/broken/package.json': '{',
    'usr/lib/python3/requests-2.31.0.dist-info/METADATA':
      'Metadata-Version: 2.4\nName: Requests_Too\nVersion: 2.31.0\nLicense-Expression: Apache-2.0\n\nName: not this\n',
    'var/lib/dpkg/status':
      'Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:2.36-9+deb12u4\n\n' +
      'Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n',
    'var/lib/dpkg/status.d/tzdata': 'Package: tzdata\nVersion: 2024a\n',
  };
  createFile(path, (output) => {
    const writer = new CpioWriter(output, 0);
    for (const [name, text] of Object.entries(files)) {
      writer.file(name, { mode: 0o644, uid: 0, gid: 0 }, text.length);
      output.bytes(Buffer.from(text));
      writer.endFile();
    }
    writer.finish();
  });
  expect(rootfsPackages(path).map(({ purl, licence }) => [purl, licence])).toEqual([
    ['pkg:apk/ubuntu/musl@1.2.4-r2?arch=x86_64', 'MIT'],
    ['pkg:apk/ubuntu/zlib@1.3', undefined],
    ['pkg:deb/ubuntu/libc6@1:2.36-9%2Bdeb12u4?arch=amd64', undefined],
    ['pkg:deb/ubuntu/tzdata@2024a', undefined],
    ['pkg:npm/%40scope/pkg@1.0.0', 'ISC'],
    ['pkg:pypi/requests-too@2.31.0', 'Apache-2.0'],
  ]);
});

test('provenance says what went in, and its envelope is signed', () => {
  const plan: ProvenancePlan = {
    name: 'unikraft.org/app',
    digest: `sha256:${'b'.repeat(64)}`,
    builder: 'https://ci.example.org/runner',
    toolVersion: '0.1.0',
    parameters: { task: 'package' },
    materials: [{ uri: 'file:Kraftfile', digest: { sha256: 'c'.repeat(64) } }],
  };
  const statement = JSON.parse(provenanceAttachment(plan).content.toString()) as object;
  expect(statement).toMatchObject({
    subject: [{ digest: { sha256: 'b'.repeat(64) } }],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: { buildDefinition: { resolvedDependencies: [{ uri: 'file:Kraftfile' }] } },
  });
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signed = JSON.parse(provenanceAttachment(plan, privateKey).content.toString()) as {
    payload: string;
    payloadType: string;
    signatures: [{ sig: string }];
  };
  const payload = Buffer.from(signed.payload, 'base64');
  expect(JSON.parse(payload.toString())).toEqual(statement);
  const head = `DSSEv1 ${signed.payloadType.length} ${signed.payloadType} ${payload.length} `;
  expect(isSignedBy(Buffer.concat([Buffer.from(head), payload]), signed.signatures[0].sig, publicKey)).toBe(true);
});

test('keys of three kinds sign, and what is no key says so', async () => {
  const bytes = Buffer.from('payload');
  const pairs = [
    generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    generateKeyPairSync('ed25519'),
    generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ];
  for (const { privateKey, publicKey } of pairs) {
    const secret = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'p' });
    const signature = signBytes(bytes, await readPrivateKey(secret.toString(), 'k', 'p'));
    const open = readPublicKey(publicKey.export({ type: 'spki', format: 'pem' }).toString(), 'k.pub');
    expect(isSignedBy(bytes, signature, open)).toBe(true);
    expect(isSignedBy(Buffer.from('payloae'), signature, open)).toBe(false);
    await expect(readPrivateKey(secret.toString(), 'cosign.key', 'wrong')).rejects.toThrow(
      expect.objectContaining({ code: 'KEY_INVALID', at: 'cosign.key' }),
    );
  }
});

test('what is attached goes with its image, into the store, into archives, and away', async () => {
  const { layoutFolder, digest } = await makeImage(folder, 'app');
  const layout = await Layout.open(layoutFolder);
  const [subject] = await layout.roots();
  await attach(layout, subject ?? expect.fail(), sbom(components));
  await attach(layout, subject ?? expect.fail(), sbom(components));
  expect(await attachedTo(layout, digest)).toHaveLength(1);

  const store = await ImageStore.open(join(folder, 'store'));
  await store.addLayout(layoutFolder);
  await store.exportArchive([parseReference('app')], join(folder, 'app.oci.tar'));
  const other = await ImageStore.open(join(folder, 'other'));
  await other.importArchive(join(folder, 'app.oci.tar'));
  for (const place of [store, other]) {
    const [artifact] = await attachedTo(place.layout, digest);
    expect(artifact?.artifactType).toBe('application/vnd.cyclonedx+json');
    expect(await place.images()).toHaveLength(1);
    expect(await place.prune(-1)).toEqual({ blobs: 0, bytes: 0 });
    await place.remove(parseReference('app'));
    await place.prune(-1);
    expect(await place.layout.blobFiles()).toEqual([]);
    expect(await place.layout.roots()).toEqual([]);
  }
});
