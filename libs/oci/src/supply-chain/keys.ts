import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { OciFault } from '../fault.ts';
import { isCosignKey, openCosignKey } from './cosign-key.ts';

/**
 * A private key out of PEM: EC, Ed25519 or RSA, also encrypted as PKCS #8; and what `cosign generate-key-pair` writes.
 *
 * @param at  the file, for the fault
 * @throws OciFault KEY_INVALID
 */
export async function readPrivateKey(pem: string, at: string, passphrase?: string): Promise<KeyObject> {
  try {
    if (isCosignKey(pem)) return await openCosignKey(pem, passphrase ?? '');
    return createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch (error) {
    const hint =
      'Is the passphrase right? A new key comes from: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256';
    throw invalidKey(at, hint, error);
  }
}

/** Whether a private key out of PEM can only be read with a passphrase. */
export function isEncryptedKey(pem: string): boolean {
  // PKCS #8 and cosign say it in the first line, the older forms of OpenSSL in a header of their own.
  return /-----BEGIN ENCRYPTED |^Proc-Type: 4,ENCRYPTED/m.test(pem);
}

/** A public key out of PEM, such as `cosign.pub`. @throws OciFault KEY_INVALID */
export function readPublicKey(pem: string, at: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch (error) {
    throw invalidKey(
      at,
      'Name the public key, such as cosign.pub; openssl pkey -pubout makes it from a private one.',
      error,
    );
  }
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

function invalidKey(at: string, hint: string, cause: unknown): OciFault {
  return new OciFault('KEY_INVALID', 'this is no key in PEM that can be read', { at, hint, cause });
}
