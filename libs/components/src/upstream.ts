import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FetchedComponent } from './fetch.ts';
import type { Store } from './store.ts';
import { upstreamDownloads } from './upstream-notes.ts';

/** What the program that make calls must know; plain JSON. */
export interface UpstreamSettings {
  readonly store: string;
  readonly offline: boolean;
  /** Refuse what neither its library nor the lock makes exact. */
  readonly frozen: boolean;
  /** Libraries that a lock can have, by their names, to note which sources each of them fetches. */
  readonly libraries: Readonly<Record<string, UpstreamLibrary>>;
  /** What the lock promises of upstream sources, as `LockedComponent` has it. */
  readonly downloads: Readonly<Record<string, string>>;
}

export interface UpstreamLibrary {
  /** Absolute. */
  readonly folder: string;
  /** Content hash of the folder. */
  readonly content: string;
}

/** What make is to be given so that libraries' own downloads go through the store. */
export interface UpstreamFetcher {
  /** For make's command line. */
  readonly variables: Readonly<Record<string, string>>;
  /** For make's environment. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * What make has fetched on this machine, now or before, that neither its library nor the lock makes exact: elsewhere,
   * or tomorrow, the same address may give something else.
   */
  readonly unpinned: () => Promise<readonly string[]>;
}

/** The variable that tells the program which make calls what its store and lock are. */
export const settingsVariable = 'NX_KRAFT_UPSTREAM';

/**
 * Within `$(call fetch,…)` this is not empty where the library promises a checksum, which make compares after the
 * download. Elsewhere, and in makefiles that know no such promises, it is empty.
 */
const checked =
  '$(if $(strip $(foreach sum,MD5 SHA1 SHA256 SHA512,$($(call vprefix_lib,$(1),ORIGIN_$(sum))))),--checked)';

/**
 * Lets `make fetch` take what libraries fetch themselves from the store. Unikraft's `$(call fetch,…)` and its kin download
 * with `$(WGET) -O FILE URL`, and `$(call clone,…)` with `$(GIT) clone --branch REF URL FOLDER`, so both become a program
 * of ours which copies from the store, after a download if need be. What the library itself promises of checksums is
 * then checked by make as ever.
 *
 * @param libraries  what `fetchComponent` gave for each library, by its name
 */
export function upstreamFetcher(
  store: Store,
  libraries: readonly (FetchedComponent & { readonly name: string })[],
  { offline = false, frozen = false }: { readonly offline?: boolean; readonly frozen?: boolean } = {},
): UpstreamFetcher {
  const here = fileURLToPath(import.meta.url);
  const program = [process.execPath, join(dirname(here), `upstream-main${extname(here)}`)].map(quoteForMake).join(' ');
  const settings: UpstreamSettings = {
    store: store.folder,
    offline,
    frozen,
    libraries: Object.fromEntries(
      libraries.flatMap(({ name, folder, content }) => (content === undefined ? [] : [[name, { folder, content }]])),
    ),
    downloads: Object.assign({}, ...libraries.map(({ downloads }) => downloads)) as Record<string, string>,
  };
  return {
    variables: { WGET: `${program} wget ${checked}`, GIT: `${program} git` },
    environment: {
      [settingsVariable]: JSON.stringify(settings),
      // For what else may call git.
      ...(offline ? { GIT_ALLOW_PROTOCOL: 'file' } : {}),
    },
    unpinned: async () => {
      const contents = Object.values(settings.libraries).map(({ content }) => content);
      const fetched = await Promise.all(contents.map((content) => upstreamDownloads(store, content, 'unchecked')));
      return fetched.flatMap(Object.keys).filter((key) => !Object.hasOwn(settings.downloads, key));
    },
  };
}

function quoteForMake(word: string): string {
  return `'${word.replaceAll("'", "'\\''").replaceAll('$', '$$$$')}'`;
}
