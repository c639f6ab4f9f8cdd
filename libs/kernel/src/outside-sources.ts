import { readFile, readdir, realpath } from 'node:fs/promises';
import { join, normalize, relative } from 'node:path';
import type { Workshop } from './workshop.ts';

/** A folder that make sees together with what lies around it. */
interface Surrounded {
  /** The folder on this machine. */
  readonly folder: string;
  /** The path at which make sees it, and that of all around it. */
  readonly own: string;
  readonly around: string;
}

/**
 * The files from around an application and local libraries, to which their build files go up, that went into objects, as
 * paths on this machine: compilers list them in `.d` files.
 */
export async function listOutsideSources({ plan, place, objects }: Workshop): Promise<readonly string[]> {
  const folders = new Map([
    ['app', plan.application],
    ...plan.libraries.map(({ name, folder }) => [`lib/${name}`, folder] as const),
  ]);
  // Make takes the real path of an application; a canonical place has no links.
  const seen = async (path: string): Promise<string> => (place.canonical ? path : realpath(path));
  const surrounded: readonly Surrounded[] = await Promise.all(
    [...folders]
      .filter(([name]) => place.whole(name) !== place.path(name))
      .map(async ([name, folder]) => ({
        folder,
        own: await seen(place.path(name)),
        around: await seen(place.whole(name)),
      })),
  );
  if (surrounded.length === 0) return [];
  const found = new Set<string>();
  for (const entry of await readdir(objects, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.d')) continue;
    const text = await readFile(join(entry.parentPath, entry.name), 'utf8');
    for (const path of (text.match(/(?<![^\s])\/[^\s:\\]+/g) ?? []).map(normalize)) {
      for (const { folder, own, around } of surrounded) {
        if (path.startsWith(`${around}/`) && !path.startsWith(`${own}/`)) found.add(join(folder, relative(own, path)));
      }
    }
  }
  return [...found].toSorted();
}
