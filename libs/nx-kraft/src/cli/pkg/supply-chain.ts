import {
  type Digest,
  type Reference,
  type RegistryClient,
  Repository,
  fetchAttachments,
  formatReference,
  parseReference,
  readPublicKey,
  requireSignature,
  signImage,
} from '@nx-kraft/oci';
import { userPolicy } from '../../tasks/registry.ts';
import { openSigningKey } from '../../tasks/signing-key.ts';
import { command, jsonOption, print } from '../command.ts';
import { readOptionFile } from '../option-file.ts';
import { UsageFault } from '../usage-fault.ts';
import { registryOptions, withRegistries } from './options.ts';

export const sign = command({
  arguments: 'NAME',
  options: {
    key: { type: 'string', value: 'FILE', required: true, summary: 'the private key, as PEM or from cosign' },
    ...registryOptions,
    ...jsonOption,
  },
  notes:
    "Signs what the registry has under NAME, in cosign's form. The key's passphrase is read from COSIGN_PASSWORD, or\nasked for on a terminal.",
  run: async ({ values, words: [name] }) => {
    const key = await openSigningKey(await readOptionFile('--key', values.key), values.key);
    return withRegistries(values, async (client) => {
      const reference = parseReference(name);
      const digest = await digestOf(client, reference);
      await signImage(client, reference, digest, key);
      const signed = `${formatReference(reference)}@${digest}`;
      print(values, { signed }, () => `signed ${signed}`);
    });
  },
});

export const verify = command({
  arguments: 'NAME',
  options: {
    key: { type: 'string', value: 'FILE', summary: 'the public key; default: as the policy in NX_KRAFT_POLICY says' },
    ...registryOptions,
    ...jsonOption,
  },
  run: async ({ values, words: [name] }) => {
    const policy =
      values.key === undefined
        ? await userPolicy()
        : { rules: [{ prefix: '', keys: [readPublicKey(await readOptionFile('--key', values.key), values.key)] }] };
    if (policy === undefined) throw new UsageFault('verify needs --key, or a policy');
    return withRegistries(values, async (client) => {
      const reference = parseReference(name);
      const digest = await digestOf(client, reference);
      await requireSignature(client, reference, digest, policy);
      const verified = `${formatReference(reference)}@${digest}`;
      print(values, { verified }, () => `verified ${verified}`);
    });
  },
});

export const attachments = command({
  arguments: 'NAME',
  options: {
    type: { type: 'string', value: 'TYPE', summary: 'prints the document of this type, such as sbom or provenance' },
    ...registryOptions,
    ...jsonOption,
  },
  run: ({ values, words: [name] }) =>
    withRegistries(values, async (client) => {
      const reference = parseReference(name);
      const all = await fetchAttachments(client, reference, await digestOf(client, reference));
      if (values.type === undefined) {
        const rows = all.map(({ artifactType, content }) => ({ type: artifactType, size: content.length }));
        print(values, rows, () => rows.map(({ type, size }) => `${type}  ${size} bytes`).join('\n'));
        return;
      }
      const type = shortTypes[values.type] ?? values.type;
      const found = all.find(({ artifactType }) => artifactType === type);
      if (found === undefined) throw new UsageFault(`${name} has no ${values.type}; it is listed without --type`);
      process.stdout.write(found.content);
    }),
});

const shortTypes: Readonly<Record<string, string>> = {
  sbom: 'application/vnd.cyclonedx+json',
  provenance: 'application/vnd.in-toto+json',
};

async function digestOf(client: RegistryClient, reference: Reference): Promise<Digest> {
  const root = await new Repository(client, reference).resolve(reference.digest ?? reference.tag ?? 'latest');
  return root.descriptor.digest;
}
