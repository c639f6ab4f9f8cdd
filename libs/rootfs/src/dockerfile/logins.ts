import type { Credentials } from './job.ts';

/**
 * The user's log-ins, from where Docker, podman and `nx-kraft login` keep them, in the form in which BuildKit asks for
 * them: a token that `docker login` kept instead of a password is a secret without a name.
 */
export function userLogins(env: NodeJS.ProcessEnv): (host: string) => Promise<Credentials | undefined> {
  return async (host) => {
    const { userCredentials } = await import('@nx-kraft/oci');
    const found = await userCredentials(env)(host === dockerHubHost ? 'docker.io' : host);
    if (found === undefined) return undefined;
    return 'identityToken' in found
      ? { username: '', secret: found.identityToken }
      : { username: found.username, secret: found.password };
  };
}

/** Where Docker Hub's images are; its log-ins are kept under another name. */
const dockerHubHost = 'registry-1.docker.io';
