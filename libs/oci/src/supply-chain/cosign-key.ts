import { createPrivateKey, type KeyObject, scryptSync } from 'node:crypto';
import { z } from 'zod';

const pemLabels = ['ENCRYPTED SIGSTORE PRIVATE KEY', 'ENCRYPTED COSIGN PRIVATE KEY'];

/** Bytes that deriving a key may take: cosign's own parameters need 64 MiB, a hostile file could ask for all there is. */
const mostMemory = 256 * 1024 * 1024;

const base64 = z.base64().transform((text) => Buffer.from(text, 'base64'));
const shape = z.object({
  kdf: z.object({
    name: z.literal('scrypt'),
    params: z.object({ N: z.int().positive(), r: z.int().positive(), p: z.int().positive().max(16) }),
    salt: base64,
  }),
  cipher: z.object({ name: z.literal('nacl/secretbox'), nonce: base64.refine(({ length }) => length === 24) }),
  ciphertext: base64,
});

/** Whether PEM holds a private key in the form of cosign's own, as `cosign generate-key-pair` writes it. */
export function isCosignKey(pem: string): boolean {
  return pemLabels.some((label) => pem.includes(`-----BEGIN ${label}-----`));
}

/**
 * Opens a `cosign.key`: JSON within PEM, in it a PKCS #8 key in a secretbox of NaCl (XSalsa20-Poly1305) whose key scrypt
 * (RFC 7914) derives from the password. Older ones are named after cosign, newer ones after sigstore; both are the same.
 *
 * @throws Error when the password is another one, or the file is damaged
 */
export async function openCosignKey(pem: string, password: string): Promise<KeyObject> {
  const { xsalsa20poly1305 } = await import('@noble/ciphers/salsa.js');
  const body = pem.replace(/^[^]*?-----BEGIN [^-]*-----/, '').replace(/-----END [^]*$/, '');
  const { kdf, cipher, ciphertext } = shape.parse(JSON.parse(Buffer.from(body, 'base64').toString('utf8')));
  const key = scryptSync(password, kdf.salt, 32, { ...kdf.params, maxmem: mostMemory });
  const opened = xsalsa20poly1305(key, cipher.nonce).decrypt(ciphertext);
  return createPrivateKey({ key: Buffer.from(opened), format: 'der', type: 'pkcs8' });
}
