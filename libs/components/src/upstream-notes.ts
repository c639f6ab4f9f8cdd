import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrorCode, withLock } from '@nx-kraft/base';
import { ComponentFault } from './fault.ts';
import { recall, remember, type Store } from './store.ts';
import type { UpstreamLibrary } from './upstream.ts';

/** What a library was seen to fetch. */
interface Note {
  /** The archive's sha256 or the repository's commit, in hexadecimal. */
  readonly pin: string;
  /** Whether the library itself promises a checksum. */
  readonly checked: boolean;
}

type Notes = Readonly<Record<string, Note>>;

/**
 * The library, and its content hash, whose make step works in a folder of this name: mostly `lib<name>`, else one that
 * its build file names.
 */
export async function libraryOf(
  buildFolder: string,
  libraries: Readonly<Record<string, UpstreamLibrary>>,
): Promise<UpstreamLibrary | undefined> {
  const plain = (name: string): string => name.replace(/^lib/, '').replaceAll('-', '_').toLowerCase();
  const named = Object.entries(libraries).find(([name]) => plain(name) === plain(buildFolder));
  if (named !== undefined) return named[1];
  for (const library of Object.values(libraries)) {
    const text = await readFile(join(library.folder, 'Makefile.uk'), 'utf8').catch((error: unknown) => {
      if (hasErrorCode(error, 'ENOENT')) return '';
      throw error;
    });
    if (text.includes(`,${buildFolder},`)) return library;
  }
  return undefined;
}

/** Notes that a library's make step fetches this. */
export async function noteDownload(store: Store, content: string, key: string, note: Note): Promise<void> {
  const known = (await readNotes(store, content))[key];
  if (known?.pin === note.pin && known.checked === note.checked) return;
  await withLock(join(store.folder, 'turns', 'fetched'), async () => {
    await remember(store, 'fetched', content, { ...(await readNotes(store, content)), [key]: note });
  });
}

async function readNotes(store: Store, content: string): Promise<Notes> {
  return (await recall<Notes>(store, 'fetched', content)) ?? {};
}

/**
 * What builds on this machine have fetched for a library's tree: sha256 of archives by URL, commits of repositories by
 * `URL#REF`.
 *
 * @param which  `unchecked` for those alone of which the library promises no checksum
 */
export async function upstreamDownloads(
  store: Store,
  content: string,
  which: 'all' | 'unchecked' = 'all',
): Promise<Readonly<Record<string, string>>> {
  const notes = Object.entries(await readNotes(store, content));
  const wanted = notes.filter(([, { checked }]) => which === 'all' || !checked);
  return Object.fromEntries(wanted.map(([key, { pin }]) => [key, pin]));
}

/** The fault of an upstream source that is not in the store while the network must not be used. */
export function upstreamOffline(key: string, isLocked: boolean): ComponentFault {
  return new ComponentFault('COMPONENT_OFFLINE', 'this upstream source is not in the store', {
    at: key,
    hint: isLocked ? 'With a network, get it with: nx-kraft pkg pull --locked' : 'Build once with a network.',
  });
}

/** The fault of an upstream source that might be anything while the lock must not change. */
export function upstreamNotLocked(key: string): ComponentFault {
  return new ComponentFault(
    'COMPONENT_NOT_LOCKED',
    'its library promises no checksum of it, and kraft.lock, which must not change, has none either',
    { at: key, hint: 'Build once without --frozen, run nx sync and commit kraft.lock.' },
  );
}
