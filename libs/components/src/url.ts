/** `git@github.com:unikraft/unikraft.git`, as ssh takes it. */
const scpLike = /^[\w.-]+@\w[\w.-]*:(?!\/\/)[^-]/;

/**
 * Whether a text is an address that git can be given: of another machine, and nothing that git could take for an option
 * or a program to run. URLs of files are not among them.
 */
export function isGitAddress(text: string): boolean {
  return scpLike.test(text) || (/^(https?|ssh|git):\/\/[^-/]/i.test(text) && URL.canParse(text));
}

/** Whether a text is a file's URL. */
export function isFileUrl(text: string): boolean {
  return /^file:\/\//i.test(text) && URL.canParse(text);
}

/** Whether a text is meant as a URL of whatever kind, or as what ssh takes, and so not as a path. */
export function looksLikeUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:/i.test(text) || scpLike.test(text);
}

/** Whether a text is `github.com/unikraft/unikraft` and the like: a path or a URL without its scheme. */
export function looksLikeHost(text: string): boolean {
  return /^[\w-]+(\.[\w-]+)*\.[a-z]{2,}\/./i.test(text);
}

/** Whether a source is meant as one on another machine, and so not as a folder. URLs of files count as such, too. */
export function isRemoteSource(source: string): boolean {
  return looksLikeUrl(source) || looksLikeHost(source);
}

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
