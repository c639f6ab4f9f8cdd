import { hideCredentials } from './url.ts';

/** How the lock calls what a branch or tag of a repository means: `https://host/repo.git#v1`. */
export function cloneKey({ url, ref = 'HEAD' }: { readonly url: string; readonly ref?: string }): string {
  return `${hideCredentials(url)}#${ref}`;
}

/** Whether a key of a lock's `downloads` is that of a repository, and not of an archive. */
export function isCloneKey(key: string): boolean {
  return key.includes('#');
}
