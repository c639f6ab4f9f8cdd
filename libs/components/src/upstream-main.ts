// Called by make in place of wget, as `wget [--checked] -O FILE URL`, and of git, as `git …`; settings are in the environment.
import { spawnSync } from 'node:child_process';
import { basename, dirname } from 'node:path';
import { describeError } from '@nx-kraft/base';
import { openStore, type Store } from './store.ts';
import { settingsVariable, type UpstreamSettings } from './upstream.ts';
import { fetchArchive, type UpstreamOptions } from './upstream-archive.ts';
import { fetchClone, parseClone } from './upstream-clone.ts';
import { cloneKey } from './upstream-key.ts';
import { libraryOf, noteDownload, upstreamNotLocked } from './upstream-notes.ts';
import { hideCredentials } from './url.ts';

async function main([program, ...args]: readonly string[]): Promise<void> {
  if (program === 'wget') return fetchFile(args);
  const clone = args[0] === 'clone' ? parseClone(args.slice(1)) : undefined;
  if (clone === undefined) {
    process.exitCode = spawnSync('git', args, { stdio: 'inherit' }).status ?? 1;
    return;
  }
  await fetchFor(clone.destination, cloneKey(clone), false, (store, options) => fetchClone(store, clone, options));
}

async function fetchFile(args: readonly string[]): Promise<void> {
  const file = args[args.indexOf('-O') + 1];
  const url = args.at(-1);
  if (!args.includes('-O') || file === undefined || url === undefined || !/^(https?|file):/i.test(url)) {
    throw new Error(`only calls of the form -O FILE URL are known, not: ${args.join(' ')}`);
  }
  const fetch = (store: Store, options: UpstreamOptions): Promise<string> => fetchArchive(store, url, file, options);
  await fetchFor(file, hideCredentials(url), args.includes('--checked'), fetch);
}

/**
 * Fetches something for a library, by the lock's rules, and notes it.
 *
 * @param destination  in the library's build folder
 * @param fetch  gives the sha256 or the commit
 */
async function fetchFor(
  destination: string,
  key: string,
  checked: boolean,
  fetch: (store: Store, options: UpstreamOptions) => Promise<string>,
): Promise<void> {
  const settings = JSON.parse(process.env[settingsVariable] ?? '') as UpstreamSettings;
  const store = openStore({ folder: settings.store });
  const library = await libraryOf(basename(dirname(destination)), settings.libraries);
  const promised = settings.downloads[key];
  if (settings.frozen && library !== undefined && promised === undefined && !checked) throw upstreamNotLocked(key);
  const pin = await fetch(store, { promised, offline: settings.offline });
  if (library !== undefined) await noteDownload(store, library.content, key, { pin, checked });
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = 1;
});
