import { mkdir } from 'node:fs/promises';
import { fetchRevision } from './fetch.ts';
import { findRevision } from './git.ts';
import { inTurn, recall, remember, type Store } from './store.ts';
import { copyTree } from './tree.ts';
import { treeFolder } from './trees.ts';
import type { UpstreamOptions } from './upstream-archive.ts';
import { cloneKey } from './upstream-key.ts';
import { upstreamOffline } from './upstream-notes.ts';
import { hideCredentials, isFileUrl, isGitAddress } from './url.ts';

/** What `git clone` is asked for. */
export interface CloneCall {
  readonly url: string;
  /** Branch or tag; absent for the default branch. */
  readonly ref?: string;
  readonly destination: string;
}

/** Options of `git clone` that change nothing about the files of the one commit that is wanted. */
const idle = new Set(
  '-q --quiet --progress --recurse-submodules --recursive --no-tags --single-branch --shallow-submodules'.split(' '),
);

/**
 * Reads the arguments after `git clone`, as `$(call clone,…)` gives them.
 *
 * @returns undefined for a call that means more than the files of one commit, which git itself has to do
 */
export function parseClone(args: readonly string[]): CloneCall | undefined {
  const places: string[] = [];
  let ref: string | undefined;
  for (let index = 0; index < args.length; index++) {
    const [name = '', ...rest] = (args[index] ?? '').split('=');
    const isOption = name.startsWith('-');
    const value = rest.length > 0 ? rest.join('=') : args[index + 1];
    if (!isOption) places.push(args[index] ?? '');
    else if (idle.has(name)) continue;
    else if (name !== '--depth' && name !== '--branch' && name !== '-b') return undefined;
    else {
      if (name !== '--depth') ref = value;
      if (rest.length === 0) index++;
    }
  }
  const [url, destination, more] = places;
  if (url === undefined || destination === undefined || more !== undefined) return undefined;
  if (!isGitAddress(url) && !isFileUrl(url)) return undefined;
  return { url, destination, ...(ref === undefined ? {} : { ref }) };
}

/**
 * Puts the files of a repository's branch or tag into `destination`, from the store if they are there. There is no
 * `.git` among them, which would be another one in each clone.
 *
 * @returns the commit
 * @throws ComponentFault COMPONENT_NO_REVISION when the locked commit is not there any more, COMPONENT_OFFLINE
 */
export async function fetchClone(store: Store, call: CloneCall, options: UpstreamOptions): Promise<string> {
  const { revision, content } = await keepClone(store, cloneKey(call), options, call.url);
  await mkdir(call.destination, { recursive: true });
  await copyTree(treeFolder(store, content), call.destination);
  return revision;
}

/**
 * Makes sure that what a branch or tag means is in the store. Without a promise it is what it meant when this machine
 * asked first.
 *
 * @param key  as {@link cloneKey} gives it
 * @param address  the URL with its credentials
 */
export async function keepClone(
  store: Store,
  key: string,
  { promised, offline = false }: UpstreamOptions,
  address = key.slice(0, key.indexOf('#')),
): Promise<{ readonly revision: string; readonly content: string }> {
  const url = hideCredentials(address);
  if (url !== address) store.credentials.set(url, address);
  const find = async (): Promise<string | undefined> => promised ?? (await recall<string>(store, 'upstream', key));
  const known = await find();
  if (known === undefined && offline) throw upstreamOffline(key, false);
  const revision = known ?? (await inTurn(store, key, async () => (await find()) ?? (await ask(store, key, url)), {}));
  return { revision, content: await fetchRevision({ key, url, revision }, store, { offline }) };
}

async function ask(store: Store, key: string, url: string): Promise<string> {
  const ref = key.slice(key.indexOf('#') + 1);
  const { revision } = await findRevision(store, url, ref === 'HEAD' ? undefined : ref, undefined);
  await remember(store, 'upstream', key, revision);
  return revision;
}
