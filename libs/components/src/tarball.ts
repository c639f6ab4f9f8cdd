import { join } from 'node:path';
import { downloadFile, type Validators } from './download.ts';
import { ComponentFault } from './fault.ts';
import type { FetchOptions } from './resolution.ts';
import { inTurn, recall, remember, type Store, withWorkFolder } from './store.ts';
import { addTree, findTree, wrongContent } from './trees.ts';
import { offlineFault } from './offline.ts';

/** A tarball as it was found. */
export interface StoredTarball {
  /** Of the archive itself, in hexadecimal. */
  readonly sha256: string;
  /** Content hash of the tree in it. */
  readonly content: string;
  readonly revision?: string;
}

/** What is known of a tarball before it is fetched. */
export interface TarballSource {
  readonly key: string;
  /** Without credentials. */
  readonly url: string;
  /** What its sha256 must be, in hexadecimal. */
  readonly sha256?: string | undefined;
  /** What its content hash must be. */
  readonly content?: string | undefined;
}

/**
 * Makes sure that a tarball's tree is in the store. With a known sha256 the network is used only if the store lacks it;
 * else the server is asked whether its file is still the one that was stored before.
 *
 * @throws ComponentFault COMPONENT_WRONG_CHECKSUM, COMPONENT_BAD_ARCHIVE, COMPONENT_OFFLINE and what servers fail with
 */
export async function fetchTarball(source: TarballSource, store: Store, options: FetchOptions): Promise<StoredTarball> {
  const { key, url, sha256 } = source;
  const { signal, onProgress } = options;
  const found = sha256 === undefined ? undefined : await findArchive(store, sha256, source);
  if (found !== undefined) return found;
  if (options.offline === true) throw offlineFault(key, 'its sources are not in the store');
  const onWait = (): void =>
    onProgress?.({ kind: 'waiting', component: key, message: `waiting for another process that fetches ${key}` });
  const fetch = async (): Promise<StoredTarball> =>
    (sha256 === undefined ? undefined : await findArchive(store, sha256, source)) ??
    (await download(source, store, options));
  return inTurn(store, sha256 ?? url, fetch, { signal, onWait });
}

async function findArchive(store: Store, sha256: string, source: TarballSource): Promise<StoredTarball | undefined> {
  const known = await recall<StoredTarball>(store, 'archives', sha256);
  if (known === undefined || (await findTree(store, known.content)) === undefined) return undefined;
  if (source.content === undefined || source.content === known.content) return known;
  throw wrongContent(source.content, known.content, source.url);
}

async function download(source: TarballSource, store: Store, options: FetchOptions): Promise<StoredTarball> {
  const { key, url } = source;
  const { signal, onProgress } = options;
  const last = await recall<{ sha256: string; validators: Validators }>(store, 'downloads', url);
  const usable = last === undefined ? undefined : await findArchive(store, last.sha256, source);
  onProgress?.({ kind: 'fetching', component: key, message: `fetching ${key} from ${url}` });
  return withWorkFolder(store, async (work) => {
    const archive = join(work, 'archive');
    const validators = usable === undefined ? undefined : last?.validators;
    const answer = await downloadFile(store, url, archive, { validators, signal });
    if (answer === undefined && usable !== undefined) return checkSum(usable, source);
    if (answer === undefined) throw new Error(`${url} has not changed since it was never asked for`);
    const { sha256 } = checkSum(answer, source);
    const { unpackArchive } = await import('./unpack.ts');
    const fill = (folder: string) => unpackArchive(archive, folder, url, signal);
    const { content, filled } = await addTree(store, fill, { expected: source.content, at: url });
    const stored: StoredTarball = { sha256, content, ...filled };
    await remember(store, 'archives', sha256, stored);
    await remember(store, 'downloads', url, { sha256, validators: answer.validators });
    return stored;
  });
}

function checkSum<T extends { readonly sha256: string }>(found: T, { url, sha256 }: TarballSource): T {
  if (sha256 === undefined || sha256 === found.sha256) return found;
  throw new ComponentFault('COMPONENT_WRONG_CHECKSUM', `its sha256 is ${found.sha256}, not ${sha256} as promised`, {
    at: url,
    hint: 'The file was changed, or the index or kraft.lock is out of date: find out which before you trust it.',
  });
}
