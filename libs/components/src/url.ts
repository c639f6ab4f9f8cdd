/** Names of parameters in URLs whose values let one in. */
const secretParameters = /([?&](?:[\w-]*(?:token|signature|secret|password|api_?key)|sig|auth|key)=)[^&#\s'"]+/gi;

/**
 * Takes credentials out of every URL in a text, for messages and lock files: user and password of http(s) URLs, the
 * password of others (`ssh://git@host` keeps its user), and the values of parameters such as `access_token`.
 */
export function hideCredentials(text: string): string {
  return text
    .replace(/\b(https?:\/\/)[^/?#\s'"]*@/gi, '$1')
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/[^/?#\s'":@]*):[^/?#\s'"]*@/gi, '$1@')
    .replace(secretParameters, '$1***');
}
