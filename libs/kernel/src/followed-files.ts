import { readFile, readdir, realpath } from 'node:fs/promises';
import { join, normalize, relative } from 'node:path';
import { hasErrorCode } from '@nx-kraft/base';
import type { Workshop } from './workshop.ts';

/** A folder whose files may change from build to build. */
interface LocalFolder {
  /** The folder on this machine. */
  readonly folder: string;
  /** The path at which make sees it, and that of all around it that it sees, too. */
  readonly own: string;
  readonly around: string;
}

/**
 * The files in local folders and around them by which make decides what to compile again, as paths on this machine behind
 * all links: compilers list in `.d` files what went into an object.
 */
export async function listFollowed({ plan, place, objects }: Workshop): Promise<ReadonlySet<string>> {
  // Make takes the real path of an application; a canonical place has no links.
  const seen = async (path: string): Promise<string> => (place.canonical ? path : realpath(path));
  const folders: readonly LocalFolder[] = await Promise.all(
    [
      ['app', plan.application, undefined] as const,
      ['core', plan.core.folder, plan.core.digest] as const,
      ...plan.libraries.map(({ name, folder, digest }) => [`lib/${name}`, folder, digest] as const),
    ]
      .filter(([, , digest]) => digest === undefined)
      .map(async ([name, folder]) => ({
        folder,
        own: await seen(place.path(name)),
        around: await seen(place.whole(name)),
      })),
  );
  const found = new Set<string>();
  for (const path of await listCompiled(objects)) {
    for (const { folder, own, around } of folders) {
      if (path.startsWith(`${around}/`)) found.add(join(folder, relative(own, path)));
    }
  }
  const real = await Promise.all([...found].map(realPathIfThere));
  return new Set(real.filter((path) => path !== undefined));
}

/** All files that compilers list, as make sees them. */
async function listCompiled(objects: string): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const entry of await readdir(objects, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.d')) continue;
    const text = await readFile(join(entry.parentPath, entry.name), 'utf8');
    for (const [path] of text.matchAll(/(?<![^\s])\/[^\s:\\]+/g)) found.add(normalize(path));
  }
  return found;
}

async function realPathIfThere(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
