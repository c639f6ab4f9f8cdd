import { Cloud, findMetro, findToken } from '@nx-kraft/cloud';
import { userCredentials } from '@nx-kraft/oci';
import { kraftLogin } from '../kraft-config.ts';
import { ProjectFault } from '../kraftproject.ts';
import { networkRules } from '../network.ts';

/** The registry whose log-in is the one of Unikraft Cloud, too. */
export const cloudRegistry = 'index.unikraft.io';

/**
 * The API of a metro, with the token out of the environment, or of a log-in to {@link cloudRegistry} by us, Docker or kraft.
 *
 * @param metro  its name or URL; default: from the environment
 */
export async function connectCloud(metro: string | undefined, token?: string): Promise<Cloud> {
  if (networkRules({}).offline) {
    throw new ProjectFault('KRAFTFILE_OFFLINE', 'Unikraft Cloud cannot be asked while the network must not be used', {
      hint: 'Leave out --offline, and unset NX_KRAFT_OFFLINE.',
    });
  }
  const found = await findToken(process.env, { given: token, logIn });
  return new Cloud(findMetro(process.env, metro), found);
}

async function logIn(): Promise<string | undefined> {
  const found = await userCredentials()(cloudRegistry);
  const known = found !== undefined && 'username' in found ? found : kraftLogin(cloudRegistry);
  return known === undefined ? undefined : Buffer.from(`${known.username}:${known.password}`).toString('base64');
}
