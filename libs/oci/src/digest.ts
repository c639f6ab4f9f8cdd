import { hash } from 'node:crypto';
import { OciFault } from './fault.ts';

/** `sha256:` and 64 hex digits: the one algorithm that all registries and stores share. */
export type Digest = `sha256:${string}`;

export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${hash('sha256', bytes)}`;
}

export function isDigest(text: string): text is Digest {
  return /^sha256:[0-9a-f]{64}$/.test(text);
}

/** The 64 hex digits of a digest. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

/**
 * Gives `bytes` back when they have this digest.
 *
 * @param at  where they come from, for the fault
 * @throws OciFault DIGEST_MISMATCH
 */
export function verified(bytes: Buffer, digest: Digest, at: string): Buffer {
  const actual = digestOf(bytes);
  if (actual !== digest) throw digestMismatch(digest, actual, at);
  return bytes;
}

export function digestMismatch(expected: Digest, actual: string, at: string): OciFault {
  return new OciFault('DIGEST_MISMATCH', `these bytes have the digest ${actual} instead of ${expected}`, {
    at,
    hint: 'They were damaged or changed. Remove the image and pull it again; if it stays so, its source is broken.',
  });
}
