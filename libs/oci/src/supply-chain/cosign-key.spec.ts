import { expect, test } from 'vitest';
import { cosignKey, cosignPublicKey, sigstoreKey } from '../../test/cosign-keys.ts';
import { isEncryptedKey, isSignedBy, readPrivateKey, readPublicKey, signBytes } from './keys.ts';

const bytes = Buffer.from('payload');
const invalid = expect.objectContaining({ code: 'KEY_INVALID', at: 'cosign.key' }) as Error;

/** The file with some text of the JSON in it replaced. */
function edited(pem: string, from: RegExp, to: string): string {
  const [first = '', ...lines] = pem.trim().split('\n');
  const last = lines.pop() ?? '';
  const json = Buffer.from(lines.join(''), 'base64').toString().replace(from, to);
  return `${first}\n${Buffer.from(json).toString('base64')}\n${last}\n`;
}

test.each([
  ['newer', sigstoreKey],
  ['older', cosignKey],
])('a key of cosign in its %s form signs for its public key', async (_form, { pem, password }) => {
  expect(isEncryptedKey(pem)).toBe(true);
  const signature = signBytes(bytes, await readPrivateKey(pem, 'cosign.key', password));
  expect(isSignedBy(bytes, signature, readPublicKey(cosignPublicKey, 'cosign.pub'))).toBe(true);
});

test('with another password, or a change in the file, there is no key', async () => {
  const { pem, password } = sigstoreKey;
  await expect(readPrivateKey(pem, 'cosign.key', 'wrong')).rejects.toThrow(invalid);
  await expect(readPrivateKey(pem, 'cosign.key')).rejects.toThrow(invalid);
  const changes: readonly [RegExp, string][] = [
    [/"ciphertext":"E/, '"ciphertext":"F'],
    [/"nonce":"[^"]*"/, '"nonce":"AAAA"'],
    [/nacl.secretbox/, 'none'],
    // All of the machine's memory is not asked for.
    [/"N":\d+/, '"N":1073741824'],
    [/^\{/, '['],
  ];
  for (const [from, to] of changes) {
    const other = edited(pem, from, to);
    expect(other).not.toBe(pem);
    await expect(readPrivateKey(other, 'cosign.key', password)).rejects.toThrow(invalid);
  }
  await expect(readPrivateKey(edited(pem, /^/, ''), 'cosign.key', password)).resolves.toBeDefined();
});
