import type { KeyObject } from 'node:crypto';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { decodeManifest, parseJson } from '../decode.ts';
import { type Digest, digestOf } from '../digest.ts';
import { encodeConfig, encodeManifest } from '../encode.ts';
import { OciFault } from '../fault.ts';
import { mediaTypes } from '../media-types.ts';
import type { Descriptor, ImageManifest } from '../model.ts';
import { formatReference, type Reference, repositoryName } from '../reference.ts';
import type { RegistryClient } from '../registry/client.ts';
import { Repository } from '../registry/repository.ts';
import { isSignedBy, signBytes } from './keys.ts';

const payloadType = 'application/vnd.dev.cosign.simplesigning.v1+json';
const signatureKey = 'dev.cosignproject.cosign/signature';

/** Whose signature images must have, by the beginning of their names; the first rule that fits counts. */
export interface SignaturePolicy {
  readonly rules: readonly SignatureRule[];
}

export interface SignatureRule {
  /** Such as `unikraft.org`, `unikraft.org/official/` or `unikraft.org/official/nginx`, with a tag or not; '' is for all. */
  readonly prefix: string;
  /** One of these must have signed; none at all: no signature is needed. */
  readonly keys: readonly KeyObject[];
  /** Whether such images are refused, signed or not. */
  readonly isRejected?: boolean;
}

/**
 * Signs an image that the registry has, in the form of cosign: a manifest under the tag `sha256-HEX.sig` whose layers
 * are what was signed. Signatures that are there stay.
 *
 * @throws RegistryFault
 */
export async function signImage(
  client: RegistryClient,
  reference: Reference,
  digest: Digest,
  key: KeyObject,
): Promise<void> {
  const repository = new Repository(client, reference);
  const payload = Buffer.from(JSON.stringify(payloadFor(reference, digest)));
  const layer: Descriptor = {
    mediaType: payloadType,
    digest: digestOf(payload),
    size: payload.length,
    annotations: { [signatureKey]: signBytes(payload, key) },
  };
  const layers = [
    ...(await readSignatures(repository, digest)).filter((other) => !isSignedBySame(other, payload, key)),
    layer,
  ];
  const diffIds = layers.map((each) => each.digest);
  const config = encodeConfig({ architecture: '', os: '', config: {}, rootfs: { type: 'layers', diff_ids: diffIds } });
  const configBlob = { mediaType: mediaTypes.config, digest: digestOf(config), size: config.length };
  const manifest: ImageManifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config: configBlob, layers };
  await repository.upload(layer, (offset) => Promise.resolve(Readable.from([payload.subarray(offset)])));
  await repository.upload(configBlob, (offset) => Promise.resolve(Readable.from([config.subarray(offset)])));
  await repository.putManifest(tagOf(digest), encodeManifest(manifest), mediaTypes.manifest);
}

/**
 * Checks that an image is signed as a policy wants it, by one of the keys, for this digest.
 *
 * @throws OciFault SIGNATURE_INVALID; RegistryFault
 */
export async function requireSignature(
  client: RegistryClient,
  reference: Reference,
  digest: Digest,
  policy: SignaturePolicy,
): Promise<void> {
  const rule = ruleFor(policy, reference);
  if (rule?.isRejected === true) throw invalid('is refused by the policy', reference, digest);
  if (rule === undefined || rule.keys.length === 0) return;
  const repository = new Repository(client, reference);
  const signatures = await readSignatures(repository, digest);
  for (const { digest: payloadDigest, annotations } of signatures) {
    const payload = await repository.readBlob(payloadDigest);
    const signature = annotations?.[signatureKey] ?? '';
    const isSigned = rule.keys.some((key) => isSignedBy(payload, signature, key));
    if (isSigned && isAbout(payload, digest)) return;
  }
  const what = signatures.length === 0 ? 'is not signed' : 'is signed, but not by a key that the policy names';
  throw invalid(what, reference, digest);
}

/**
 * The digest of an image that is signed as a policy wants it, for whoever gets the image by other ways than ours;
 * undefined where the policy wants nothing of images of this name.
 *
 * @throws OciFault SIGNATURE_INVALID; RegistryFault
 */
export async function signedDigest(
  client: RegistryClient,
  reference: Reference,
  policy: SignaturePolicy,
): Promise<Digest | undefined> {
  const rule = ruleFor(policy, reference);
  if (rule === undefined || (rule.keys.length === 0 && rule.isRejected !== true)) return undefined;
  const name = reference.digest ?? reference.tag ?? 'latest';
  const { digest } = (await new Repository(client, reference).resolve(name)).descriptor;
  await requireSignature(client, reference, digest, policy);
  return digest;
}

function ruleFor(policy: SignaturePolicy, reference: Reference): SignatureRule | undefined {
  return policy.rules.find(({ prefix }) => covers(prefix, reference));
}

function invalid(what: string, reference: Reference, digest: Digest): OciFault {
  return new OciFault('SIGNATURE_INVALID', `the image ${what}`, {
    at: `${formatReference(reference)} (${digest})`,
    hint: 'Ask its publisher to sign it, or change the policy for this name.',
  });
}

/** Whole parts of names count: `x.org/app` is not for `x.org/apple`. */
function covers(prefix: string, reference: Reference): boolean {
  const name = repositoryName(reference);
  const isBeginning = name.startsWith(prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`);
  return isBeginning || name === prefix || formatReference(reference) === prefix;
}

function payloadFor(reference: Reference, digest: Digest): object {
  return {
    critical: {
      identity: { 'docker-reference': repositoryName(reference) },
      image: { 'docker-manifest-digest': digest },
      type: 'cosign container image signature',
    },
    optional: null,
  };
}

const payloadShape = z.object({
  critical: z.object({ image: z.object({ 'docker-manifest-digest': z.string() }) }),
});

function isAbout(payload: Buffer, digest: Digest): boolean {
  const result = payloadShape.safeParse(parseJson(payload, 'signature'));
  return result.data?.critical.image['docker-manifest-digest'] === digest;
}

/** Whether this key has signed the same before, so that signing again adds nothing. */
function isSignedBySame({ digest, annotations }: Descriptor, payload: Buffer, key: KeyObject): boolean {
  return digest === digestOf(payload) && isSignedBy(payload, annotations?.[signatureKey] ?? '', key);
}

async function readSignatures(repository: Repository, digest: Digest): Promise<readonly Descriptor[]> {
  if ((await repository.digestOf(tagOf(digest))) === undefined) return [];
  const { bytes } = await repository.resolve(tagOf(digest));
  return decodeManifest(bytes, repository.name).layers.filter((layer) => layer.mediaType === payloadType);
}

function tagOf(digest: Digest): string {
  return `${digest.replace(':', '-')}.sig`;
}
