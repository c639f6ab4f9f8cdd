import { hasErrorCode } from '@nx-kraft/base';
import type { KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { OciFault } from '../fault.ts';
import { readPublicKey } from './keys.ts';
import type { SignaturePolicy, SignatureRule } from './signature.ts';

/** Where the policy of the user or of CI is: `NX_KRAFT_POLICY`, or below the user's configuration. */
export function signaturePolicyFile(environment: NodeJS.ProcessEnv = process.env): string {
  const own = environment['NX_KRAFT_POLICY'];
  if (own !== undefined) return own;
  return join(environment['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'nx-kraft', 'policy.json');
}

/**
 * Reads a policy in the form of containers-policy.json(5), which Podman and skopeo know as well: `default`, and
 * `transports.docker` by registry, name or beginning of a name, each with one requirement: `insecureAcceptAnything`,
 * `reject`, or `sigstoreSigned` with `keyPath`, `keyPaths` or `keyData`. Paths are relative to the file.
 *
 * @returns undefined where there is no such file
 * @throws OciFault POLICY_INVALID, KEY_INVALID
 */
export async function readSignaturePolicy(file: string): Promise<SignaturePolicy | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
  const { default: others, transports } = parsePolicy(text, file);
  const scopes = Object.entries(transports?.docker ?? {}).toSorted(([a], [b]) => b.length - a.length);
  const rules = [...scopes, ['', others] as const].map(([prefix, [requirement]]) => ruleOf(prefix, requirement, file));
  return { rules: await Promise.all(rules) };
}

const requirement = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('insecureAcceptAnything') }),
  z.strictObject({ type: z.literal('reject') }),
  z.strictObject({
    type: z.literal('sigstoreSigned'),
    keyPath: z.string().optional(),
    keyPaths: z.array(z.string()).optional(),
    keyData: z.base64().optional(),
  }),
]);
const requirements = z.tuple([requirement]);
const policyShape = z.object({
  default: requirements,
  transports: z.object({ docker: z.record(z.string(), requirements).optional() }).optional(),
});

function parsePolicy(text: string, file: string): z.infer<typeof policyShape> {
  try {
    return policyShape.parse(JSON.parse(text));
  } catch (error) {
    const [issue] = error instanceof z.ZodError ? error.issues : [];
    const where = issue === undefined ? '' : `: ${issue.path.join('.')}: ${issue.message}`;
    throw new OciFault('POLICY_INVALID', `this is no policy for signatures that can be followed${where}`, {
      at: file,
      hint: 'It has the form of containers-policy.json(5), with one requirement for each name.',
      cause: error,
    });
  }
}

async function ruleOf(prefix: string, wanted: z.infer<typeof requirement>, file: string): Promise<SignatureRule> {
  if (wanted.type === 'reject') return { prefix, keys: [], isRejected: true };
  if (wanted.type === 'insecureAcceptAnything') return { prefix, keys: [] };
  const { keyPath, keyPaths = [], keyData } = wanted;
  const paths = [...(keyPath === undefined ? [] : [keyPath]), ...keyPaths].map((path) => resolve(dirname(file), path));
  const keys: KeyObject[] = await Promise.all(paths.map(async (path) => readPublicKey(await readKeyFile(path), path)));
  if (keyData !== undefined) keys.push(readPublicKey(Buffer.from(keyData, 'base64').toString('utf8'), file));
  // Without a key nothing could ever be signed; to let everything through instead would be the opposite.
  return keys.length === 0 ? { prefix, keys, isRejected: true } : { prefix, keys };
}

async function readKeyFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new OciFault('KEY_INVALID', 'this key, which a policy names, cannot be read', {
      at: path,
      hint: 'Correct the path in the policy.',
      cause: error,
    });
  }
}
