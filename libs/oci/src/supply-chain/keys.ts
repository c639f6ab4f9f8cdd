import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { OciFault } from '../fault.ts';

/**
 * A private key out of PEM: EC, Ed25519 or RSA, also encrypted as PKCS #8. The keys that cosign makes are encrypted in
 * a form of its own; `cosign import-key-pair` goes the other way, so such a pair begins with openssl.
 *
 * @param at  the file, for the fault
 * @throws OciFault KEY_INVALID
 */
export function readPrivateKey(pem: string, at: string, passphrase?: string): KeyObject {
  return readKey(at, () => createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) }));
}

/** A public key out of PEM, such as `cosign.pub`. @throws OciFault KEY_INVALID */
export function readPublicKey(pem: string, at: string): KeyObject {
  return readKey(at, () => createPublicKey(pem));
}

/** The signature in base64, as cosign has it: SHA-256 for EC and RSA. */
export function signBytes(bytes: Buffer, key: KeyObject): string {
  return sign(hashFor(key), bytes, key).toString('base64');
}

export function isSignedBy(bytes: Buffer, signature: string, key: KeyObject): boolean {
  return verify(hashFor(key), bytes, key, Buffer.from(signature, 'base64'));
}

function hashFor(key: KeyObject): 'sha256' | null {
  return key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
}

function readKey(at: string, read: () => KeyObject): KeyObject {
  try {
    return read();
  } catch (error) {
    throw new OciFault('KEY_INVALID', 'this is no key in PEM that can be read', {
      at,
      hint: 'Make one with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256. Is the passphrase right?',
      cause: error,
    });
  }
}
