import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { chmod, copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { hasErrorCode, replaceAtomically } from '@nx-kraft/base';
import { downloadFile } from './download.ts';
import { ComponentFault } from './fault.ts';
import { inTurn, markUsed, recall, remember, type Store, withWorkFolder } from './store.ts';
import { upstreamOffline } from './upstream-notes.ts';
import { hideCredentials } from './url.ts';

/** What is promised of an upstream source, and whether it may be fetched. */
export interface UpstreamOptions {
  /** What the lock has for it. */
  readonly promised?: string | undefined;
  readonly offline?: boolean | undefined;
}

/**
 * Puts an upstream archive at `destination`, from the store if it is there.
 *
 * @returns its sha256 in hexadecimal
 * @throws ComponentFault COMPONENT_WRONG_CHECKSUM when it is not what the lock says, COMPONENT_OFFLINE
 */
export async function fetchArchive(
  store: Store,
  url: string,
  destination: string,
  options: UpstreamOptions,
): Promise<string> {
  const sha256 = await keepArchive(store, url, options);
  const copy = (path: string): Promise<void> => copyFile(fileOf(store, sha256), path, constants.COPYFILE_FICLONE);
  await replaceAtomically(destination, copy);
  await chmod(destination, 0o644);
  return sha256;
}

/**
 * Makes sure that an upstream archive is in the store. Without a promise it is the one that this machine fetched first.
 *
 * @returns its sha256 in hexadecimal
 */
export async function keepArchive(store: Store, url: string, options: UpstreamOptions): Promise<string> {
  const place = hideCredentials(url);
  if (place !== url) store.credentials.set(place, url);
  const known = await findKnown(store, place, options);
  if (known !== undefined) return known;
  if (options.offline === true) throw upstreamOffline(place, options.promised !== undefined);
  return inTurn(
    store,
    place,
    async () => (await findKnown(store, place, options)) ?? (await download(store, place, options)),
    {},
  );
}

async function findKnown(store: Store, url: string, { promised }: UpstreamOptions): Promise<string | undefined> {
  const sha256 = promised ?? (await recall<string>(store, 'upstream', url));
  return sha256 === undefined ? undefined : findFile(store, sha256);
}

function fileOf(store: Store, sha256: string): string {
  return join(store.folder, 'files', sha256);
}

/** A stored file that is still what it was; one that is damaged is removed. */
async function findFile(store: Store, sha256: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(fileOf(store, sha256)), hash);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  if (hash.digest('hex') === sha256) {
    await markUsed(fileOf(store, sha256));
    return sha256;
  }
  await rm(fileOf(store, sha256), { force: true });
  return undefined;
}

function download(store: Store, url: string, { promised }: UpstreamOptions): Promise<string> {
  return withWorkFolder(store, async (work) => {
    const file = join(work, 'file');
    const answer = await downloadFile(store, url, file);
    if (answer === undefined) throw new Error(`${url} has not changed since it was never asked for`);
    const { sha256 } = answer;
    if (promised !== undefined && sha256 !== promised) {
      throw new ComponentFault('COMPONENT_WRONG_CHECKSUM', `its sha256 is ${sha256}, not ${promised} as locked`, {
        at: url,
        hint: 'Upstream changed the file. If you trust it, update the library in kraft.lock on purpose.',
      });
    }
    await chmod(file, 0o444);
    await mkdir(dirname(fileOf(store, sha256)), { recursive: true });
    await rename(file, fileOf(store, sha256));
    await remember(store, 'upstream', url, sha256);
    return sha256;
  });
}
