import type { KeyObject } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { isEncryptedKey, readPrivateKey } from '@nx-kraft/oci';

/**
 * The private key that signs, out of the text of a PEM file or a `cosign.key`. Its passphrase comes from the variables that cosign's
 * users know and our own, or else from whoever sits at the terminal.
 *
 * @throws OciFault KEY_INVALID
 */
export async function openSigningKey(pem: string, file: string): Promise<KeyObject> {
  const { NX_KRAFT_KEY_PASSWORD, COSIGN_PASSWORD } = process.env;
  const known = NX_KRAFT_KEY_PASSWORD ?? COSIGN_PASSWORD;
  const isAsked = known === undefined && isEncryptedKey(pem) && process.stdin.isTTY;
  return readPrivateKey(pem, file, isAsked ? await askHidden(`Passphrase of ${file}: `) : known);
}

/** Asks on the terminal, which does not show what is typed. */
async function askHidden(question: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  const stop = new AbortController();
  terminal.on('SIGINT', () => stop.abort());
  process.stdout.write(question);
  try {
    return await terminal.question('', { signal: stop.signal });
  } finally {
    terminal.close();
    process.stdout.write('\n');
  }
}
