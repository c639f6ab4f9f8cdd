import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { chmod, copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { hasErrorCode, replaceAtomically, withLock } from '@nx-kraft/base';
import { downloadFile } from './download.ts';
import { ComponentFault } from './fault.ts';
import type { FetchedComponent } from './fetch.ts';
import { inTurn, markUsed, recall, remember, type Store, withWorkFolder } from './store.ts';
import { hideCredentials } from './url.ts';

/** What the program that make calls must know; plain JSON. */
export interface UpstreamSettings {
  readonly store: string;
  readonly offline: boolean;
  /** Content hashes of libraries by their names, to note which archives each of them fetches. */
  readonly libraries: Readonly<Record<string, string>>;
  /** sha256 (hexadecimal) of archives by URL, as `kraft.lock` has them. */
  readonly downloads: Readonly<Record<string, string>>;
}

/** What make is to be given so that libraries' own downloads go through the store. */
export interface UpstreamFetcher {
  /** For make's command line. */
  readonly variables: Readonly<Record<string, string>>;
  /** For make's environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The variable that tells the program which make calls what its store and lock are. */
export const settingsVariable = 'NX_KRAFT_UPSTREAM';

/**
 * Lets `make fetch` take the archives of libraries from the store. Unikraft's `$(call fetch,…)` and its kin download with
 * `$(WGET) -O FILE URL`, so WGET becomes a program of ours which copies the file from the store, after a download if need
 * be. What the library itself promises of checksums is then checked by make as ever. Without a network `$(call clone,…)`
 * fails too, instead of asking a server.
 *
 * @param libraries  what `fetchComponent` gave for each library, by its name
 */
export function upstreamFetcher(
  store: Store,
  libraries: readonly (FetchedComponent & { readonly name: string })[],
  { offline = false }: { readonly offline?: boolean } = {},
): UpstreamFetcher {
  const here = fileURLToPath(import.meta.url);
  const program = [process.execPath, join(dirname(here), `upstream-main${extname(here)}`)];
  const settings: UpstreamSettings = {
    store: store.folder,
    offline,
    libraries: Object.fromEntries(
      libraries.flatMap(({ name, content }) => (content === undefined ? [] : [[name, content]])),
    ),
    downloads: Object.assign({}, ...libraries.map(({ downloads }) => downloads)) as Record<string, string>,
  };
  return {
    variables: { WGET: program.map(quoteForMake).join(' ') },
    environment: {
      [settingsVariable]: JSON.stringify(settings),
      ...(offline ? { GIT_ALLOW_PROTOCOL: 'file' } : {}),
    },
  };
}

function quoteForMake(word: string): string {
  return `'${word.replaceAll("'", "'\\''").replaceAll('$', '$$$$')}'`;
}

/**
 * Puts an upstream archive at `destination`, from the store if it is there.
 *
 * @throws ComponentFault COMPONENT_WRONG_CHECKSUM when it is not what the lock says, COMPONENT_OFFLINE
 */
export async function fetchUpstream(
  store: Store,
  url: string,
  destination: string,
  settings: UpstreamSettings,
): Promise<void> {
  const place = hideCredentials(url);
  if (place !== url) store.credentials.set(place, url);
  const promised = settings.downloads[place];
  const sha256 = promised ?? (await recall<string>(store, 'upstream', place));
  const known = sha256 === undefined ? undefined : await findFile(store, sha256);
  const found = known ?? (await download(store, place, promised, settings.offline));
  const copy = (path: string): Promise<void> => copyFile(fileOf(store, found), path, constants.COPYFILE_FICLONE);
  await replaceAtomically(destination, copy);
  await chmod(destination, 0o644);
  await noteDownload(store, settings, basename(dirname(destination)), place, found);
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

async function download(store: Store, url: string, promised: string | undefined, offline: boolean): Promise<string> {
  if (offline) {
    throw new ComponentFault('COMPONENT_OFFLINE', 'this upstream archive is not in the store', {
      at: url,
      hint: 'Build once with a network.',
    });
  }
  return inTurn(store, url, () => downloadAlone(store, url, promised), {});
}

async function downloadAlone(store: Store, url: string, promised: string | undefined): Promise<string> {
  const meanwhile = promised ?? (await recall<string>(store, 'upstream', url));
  const known = meanwhile === undefined ? undefined : await findFile(store, meanwhile);
  if (known !== undefined) return known;
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

/** Notes that a library, whose build folder is `lib<name>`, needs this archive. */
async function noteDownload(
  store: Store,
  { libraries }: UpstreamSettings,
  buildFolder: string,
  url: string,
  sha256: string,
): Promise<void> {
  const name = Object.keys(libraries).find((library) => library === buildFolder || `lib${library}` === buildFolder);
  const content = name === undefined ? undefined : libraries[name];
  if (content === undefined || (await upstreamDownloads(store, content))[url] === sha256) return;
  await withLock(join(store.folder, 'turns', 'needs'), async () => {
    await remember(store, 'needs', content, { ...(await upstreamDownloads(store, content)), [url]: sha256 });
  });
}

/** sha256 of the archives that builds on this machine have fetched for a library's tree, by URL. */
export async function upstreamDownloads(store: Store, content: string): Promise<Readonly<Record<string, string>>> {
  return (await recall<Record<string, string>>(store, 'needs', content)) ?? {};
}
