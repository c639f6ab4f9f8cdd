import type { KeyObject } from 'node:crypto';
import type { Attachment } from '../attachments.ts';
import type { Digest } from '../digest.ts';
import { hexOf } from '../digest.ts';
import { signBytes } from './keys.ts';

/** Something that went into an image: a file, a commit, another image. */
export interface Material {
  /** Where it is, such as `git+https://github.com/unikraft/unikraft` or `file:Kraftfile`. */
  readonly uri: string;
  /** By algorithm, in hex: `sha256`, `gitCommit`, … */
  readonly digest: Readonly<Record<string, string>>;
}

export interface ProvenancePlan {
  /** Name and digest of the image. */
  readonly name: string;
  readonly digest: Digest;
  /** Who builds, as a URI; such as that of a CI's runner. */
  readonly builder: string;
  readonly toolVersion: string;
  /** What was asked for: the task and its options. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The task's hashed inputs. */
  readonly materials: readonly Material[];
}

export const provenanceType = 'application/vnd.in-toto+json';
const envelopeType = 'application/vnd.dsse.envelope.v1+json';

/**
 * How an image came about, as an in-toto statement with SLSA provenance 1.0. With a key it comes in a signed envelope
 * (DSSE 1.0), without one as it is.
 */
export function provenanceAttachment(plan: ProvenancePlan, key?: KeyObject): Attachment {
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: plan.name, digest: { sha256: hexOf(plan.digest) } }],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'https://github.com/nx-kraft/nx-kraft/package@v1',
        externalParameters: plan.parameters,
        resolvedDependencies: plan.materials.toSorted((a, b) => (a.uri < b.uri ? -1 : 1)),
      },
      runDetails: { builder: { id: plan.builder, version: { 'nx-kraft': plan.toolVersion } } },
    },
  };
  const content = Buffer.from(JSON.stringify(statement));
  const annotations = { 'in-toto.io/predicate-type': statement.predicateType };
  if (key === undefined) return { artifactType: provenanceType, content, annotations };
  const signature = signBytes(preAuthenticationEncoding(content), key);
  const envelope = {
    payloadType: provenanceType,
    payload: content.toString('base64'),
    signatures: [{ sig: signature }],
  };
  const mediaType = envelopeType;
  return { artifactType: provenanceType, mediaType, content: Buffer.from(JSON.stringify(envelope)), annotations };
}

/** What DSSE signs: type and content with their lengths, so that neither can pass for the other. */
function preAuthenticationEncoding(content: Buffer): Buffer {
  const head = `DSSEv1 ${provenanceType.length} ${provenanceType} ${content.length} `;
  return Buffer.concat([Buffer.from(head), content]);
}
