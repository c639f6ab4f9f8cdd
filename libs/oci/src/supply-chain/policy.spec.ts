import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readSignaturePolicy } from './policy.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'policy-'));
  file = join(folder, 'policy.json');
});
afterEach(() => rm(folder, { recursive: true }));

const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' });
const write = (policy: object) => writeFile(file, JSON.stringify(policy));

test('the longest name counts, keys are read, and the default comes last', async () => {
  await writeFile(join(folder, 'our.pub'), pem);
  await write({
    default: [{ type: 'reject' }],
    transports: {
      docker: {
        'x.org': [{ type: 'insecureAcceptAnything' }],
        'x.org/team/app': [{ type: 'sigstoreSigned', keyPath: 'our.pub', keyPaths: ['our.pub'] }],
        'y.org': [{ type: 'sigstoreSigned', keyData: Buffer.from(pem).toString('base64') }],
        'z.org': [{ type: 'sigstoreSigned' }],
      },
    },
  });
  const { rules } = (await readSignaturePolicy(file)) ?? { rules: [] };
  expect(rules.map(({ prefix, keys, isRejected }) => [prefix, keys.length, isRejected === true])).toEqual([
    ['x.org/team/app', 2, false],
    ['x.org', 0, false],
    ['y.org', 1, false],
    // Nobody could sign as this wants it.
    ['z.org', 0, true],
    ['', 0, true],
  ]);
});

test('no file is no policy, and one that cannot be followed lets nothing through', async () => {
  expect(await readSignaturePolicy(file)).toBeUndefined();
  const accept = { type: 'insecureAcceptAnything' };
  for (const policy of [
    {},
    { default: [] },
    { default: [{ type: 'signedBy', keyPath: 'x' }] },
    { default: [accept], transports: { docker: { 'x.org': [accept, accept] } } },
    { default: [{ type: 'sigstoreSigned', keyPath: 'x', rekorPublicKeyPath: 'y' }] },
  ]) {
    await write(policy);
    await expect(readSignaturePolicy(file)).rejects.toMatchObject({ code: 'POLICY_INVALID' });
  }
  await writeFile(file, '{');
  await expect(readSignaturePolicy(file)).rejects.toMatchObject({ code: 'POLICY_INVALID' });
  await write({ default: [{ type: 'sigstoreSigned', keyPath: 'none.pub' }] });
  await expect(readSignaturePolicy(file)).rejects.toMatchObject({ code: 'KEY_INVALID' });
});
