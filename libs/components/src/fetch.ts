import { hash } from 'node:crypto';
import { checkoutRevision } from './git.ts';
import type { LockedComponent } from './lock.ts';
import type { FetchOptions, GitResolution, RemoteResolution, Resolution } from './resolution.ts';
import { inTurn, recall, remember, type Store } from './store.ts';
import { offlineFault } from './offline.ts';
import { fetchTarball } from './tarball.ts';
import { addTree, findTree, wrongContent } from './trees.ts';

/** A source tree, in the form in which kernels take it. */
export interface FetchedComponent {
  /** Absolute. Read-only when it comes from the store. */
  readonly folder: string;
  /** Another one whenever a build could see anything else of this component; absent for a local folder. */
  readonly digest?: string;
  /** The commit; absent for a local folder and for an archive that does not tell. */
  readonly revision?: string;
  /** Content hash of the folder; absent for a local folder. */
  readonly content?: string;
  /** As the lock has them, see {@link LockedComponent}. */
  readonly downloads?: Readonly<Record<string, string>>;
}

/**
 * Gives the folder with the sources of a resolution: a local folder itself, else the tree in the store, fetched and
 * checked if it is not there yet.
 *
 * @throws ComponentFault COMPONENT_OFFLINE, COMPONENT_WRONG_CHECKSUM when the remote gives something else by now, and
 *   what git and servers fail with
 */
export async function fetchComponent(
  resolution: Resolution | LockedComponent,
  store: Store,
  options: FetchOptions = {},
): Promise<FetchedComponent> {
  if (resolution.kind === 'folder') return { folder: resolution.folder };
  const { content, revision } = resolution;
  const folder = (await findTree(store, content)) ?? (await fetchTree(resolution, store, options));
  const found = { folder, content, ...(revision === undefined ? {} : { revision }) };
  const downloads = 'downloads' in resolution ? resolution.downloads : undefined;
  if (downloads === undefined) return { ...found, digest: content };
  const digest = `sha256:${hash('sha256', JSON.stringify([content, Object.entries(downloads).toSorted()]), 'hex')}`;
  return { ...found, digest, downloads };
}

async function fetchTree(resolution: RemoteResolution, store: Store, options: FetchOptions): Promise<string> {
  if (resolution.kind === 'git') await fetchRevision(resolution, store, options);
  else await fetchTarball(resolution, store, options);
  const folder = await findTree(store, resolution.content);
  if (folder !== undefined) return folder;
  throw new Error(`${resolution.key} was removed from the store while it was fetched`);
}

/**
 * Makes sure that a commit is in the store.
 *
 * @param source.content  the content hash that it must have, if that is known
 * @returns its content hash
 */
export async function fetchRevision(
  source: Pick<GitResolution, 'key' | 'url' | 'revision'> & { readonly content?: string },
  store: Store,
  options: FetchOptions,
): Promise<string> {
  const { key, url, revision } = source;
  const { signal, onProgress } = options;
  const find = async (): Promise<string | undefined> => {
    const content = await recall<string>(store, 'revisions', revision);
    if (content === undefined || (await findTree(store, content)) === undefined) return undefined;
    if (source.content === undefined || source.content === content) return content;
    throw wrongContent(source.content, content, url);
  };
  const fetch = async (): Promise<string> => {
    const found = await find();
    if (found !== undefined) return found;
    onProgress?.({ kind: 'fetching', component: key, message: `fetching ${key} from ${url}` });
    const fill = (folder: string): Promise<void> => checkoutRevision(store, { url, revision }, folder, signal);
    const { content } = await addTree(store, fill, { expected: source.content, at: url });
    await remember(store, 'revisions', revision, content);
    return content;
  };
  const found = await find();
  if (found !== undefined) return found;
  if (options.offline === true) throw offlineFault(key, 'its sources are not in the store');
  const onWait = (): void =>
    onProgress?.({ kind: 'waiting', component: key, message: `waiting for another process that fetches ${key}` });
  return inTurn(store, revision, fetch, { signal, onWait });
}
