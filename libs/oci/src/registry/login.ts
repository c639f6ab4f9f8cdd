import { checkLogin, RegistryClient, type RegistryOptions } from './client.ts';
import { loginFile, saveCredentials } from './credentials.ts';

/**
 * Checks a user's credentials with a registry and keeps them in our own file if it takes them.
 *
 * @param options  how to reach the registry
 * @throws RegistryFault REGISTRY_DENIED when it does not, and what happens on the way; nothing is kept then
 */
export async function login(
  registry: string,
  username: string,
  password: string,
  options: Omit<RegistryOptions, 'credentials'> = {},
): Promise<void> {
  const client = new RegistryClient({ ...options, credentials: () => Promise.resolve({ username, password }) });
  try {
    await checkLogin(registry, client);
  } finally {
    client.close();
  }
  await saveCredentials(loginFile(options.environment), registry, username, password);
}

/**
 * Asks a registry once whether it takes the log-in that there is for it; one that lets everybody in takes any.
 *
 * @throws RegistryFault REGISTRY_DENIED when it does not, and what happens on the way
 */
export async function probeLogin(registry: string, options: RegistryOptions): Promise<void> {
  const client = new RegistryClient(options);
  try {
    const { body } = await client.requestOnce(registry, { method: 'GET', path: '', scopes: [] }, [200]);
    body.resume();
  } finally {
    client.close();
  }
}
