import { describeError, hasErrorCode } from '@nx-kraft/base';
import { RegistryFault, listLogins, probeLogin } from '@nx-kraft/oci';
import { networkRules } from '../../tasks/network.ts';
import type { Finding, Surroundings } from '../check.ts';

/** How long a registry may say nothing, in milliseconds. */
const patience = 5000;

/** Asks each registry that there is a log-in for, unless the network must not be used. */
export async function probeLogins({ env }: Surroundings): Promise<Finding> {
  try {
    const logins = await listLogins(env);
    if (logins.length === 0) {
      const remedy = 'nx-kraft login REGISTRY --user USER; docker login counts, too.';
      return { state: 'missing', detail: 'none', remedy };
    }
    const { offline } = networkRules({});
    // Of two files that know a registry the first counts.
    const first = logins.filter(
      ({ registry }, index) => logins.findIndex((one) => one.registry === registry) === index,
    );
    const asked = await Promise.all(
      first.map(async ({ registry, file }) => {
        const fault = offline ? undefined : await refusal(registry, env);
        return { fault, text: `${registry} (${file})${fault === undefined ? '' : `: ${fault.message}`}` };
      }),
    );
    const detail = `${asked.map(({ text }) => text).join(', ')}${offline ? '; not asked, as the network must not be used' : ''}`;
    const hints = new Set(asked.flatMap(({ fault }) => fault?.hint ?? []));
    const isGood = asked.every(({ fault }) => fault === undefined);
    return isGood ? { state: 'ok', detail } : { state: 'broken', detail, remedy: [...hints].join(' ') };
  } catch (error) {
    if (!(error instanceof RegistryFault) && !hasErrorCode(error, 'EACCES')) throw error;
    const detail = describeError(error).split('\n')[0] ?? '';
    return { state: 'broken', detail, remedy: 'Correct or remove the file.' };
  }
}

async function refusal(registry: string, env: NodeJS.ProcessEnv): Promise<RegistryFault | undefined> {
  try {
    await probeLogin(registry, { environment: env, timeout: patience });
    return undefined;
  } catch (error) {
    if (error instanceof RegistryFault && error.code !== 'CREDENTIALS_INVALID') return error;
    throw error;
  }
}
