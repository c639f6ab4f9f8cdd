import { readFile, readdir, realpath } from 'node:fs/promises';
import { join, normalize, relative } from 'node:path';
import type { Workshop } from './workshop.ts';

/**
 * The files from around an application, to which its build files go up, that went into its objects, as paths on this
 * machine: compilers list them in `.d` files.
 */
export async function listOutsideSources({ plan, place, objects }: Workshop): Promise<readonly string[]> {
  if (place.whole('app') === place.path('app')) return [];
  // Make takes the real path of an application; a canonical place has no links.
  const seen = async (path: string): Promise<string> => (place.canonical ? path : realpath(path));
  const [around, own] = await Promise.all([seen(place.whole('app')), seen(place.path('app'))]);
  const found = new Set<string>();
  for (const entry of await readdir(objects, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.d')) continue;
    const text = await readFile(join(entry.parentPath, entry.name), 'utf8');
    for (const path of (text.match(/(?<![^\s])\/[^\s:\\]+/g) ?? []).map(normalize)) {
      if (path.startsWith(`${around}/`) && !path.startsWith(`${own}/`)) {
        found.add(join(plan.application, relative(own, path)));
      }
    }
  }
  return [...found].toSorted();
}
