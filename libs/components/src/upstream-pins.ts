import { forget, type Store } from './store.ts';
import { keepArchive, type UpstreamOptions } from './upstream-archive.ts';
import { keepClone } from './upstream-clone.ts';
import { isCloneKey } from './upstream-key.ts';
import { noteDownload, upstreamDownloads } from './upstream-notes.ts';

type Pins = Readonly<Record<string, string>>;

/**
 * Makes sure that an upstream archive or repository is in the store.
 *
 * @param key  as a lock's `downloads` have it
 * @returns its sha256 or its commit
 */
export async function keepDownload(store: Store, key: string, options: UpstreamOptions): Promise<string> {
  return isCloneKey(key) ? (await keepClone(store, key, options)).revision : keepArchive(store, key, options);
}

/** Forgets what of a library's upstream sources may have changed since it was fetched here, so that it is asked for again. */
export async function forgetDownloads(store: Store, content: string): Promise<void> {
  for (const key of Object.keys(await upstreamDownloads(store, content, 'unchecked')))
    await forget(store, 'upstream', key);
}

/** What a library fetches, by what builds on this machine have shown; what was forgotten is asked for again. */
export async function refreshDownloads(store: Store, content: string, offline = false): Promise<Pins> {
  const all = await upstreamDownloads(store, content);
  if (offline) return all;
  const movable = Object.keys(await upstreamDownloads(store, content, 'unchecked'));
  const asked = await Promise.all(
    movable.map(async (key): Promise<[string, string]> => {
      const pin = await keepDownload(store, key, {});
      await noteDownload(store, content, key, { pin, checked: false });
      return [key, pin];
    }),
  );
  return { ...all, ...(Object.fromEntries(asked) as Pins) };
}
