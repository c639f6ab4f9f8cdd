import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, mkdir, readFile, readdir, readlink, rm, stat, symlink, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasErrorCode, replaceAtomically } from '@nx-kraft/base';
import { cachesFolder, exists } from './files.ts';

/** The name that every image has while it is built, whatever the application's: the name is part of the objects. */
export const imageBaseName = 'unikernel';

/** The linker's map of the image, beside it. */
export const mapName = `${imageBaseName}.map`;

/** The folder with the objects that all workspaces of this user share: `NX_KRAFT_OBJECTS`, or one of the user's caches. */
export function sharedObjectsRoot(): string {
  return process.env.NX_KRAFT_OBJECTS ?? join(cachesFolder(), 'objects');
}

/**
 * The folder for the objects of one configuration, sources and tools, below {@link sharedObjectsRoot}.
 *
 * @param ingredients  whatever decides the bytes of an object that is not the application's own
 */
export function sharedObjectsFolder(ingredients: readonly string[]): string {
  return join(sharedObjectsRoot(), createHash('sha256').update(JSON.stringify(ingredients)).digest('hex'));
}

/**
 * Fills an empty objects folder with shared ones.
 *
 * @returns whether there were any
 */
export async function takeSharedObjects(shared: string, objects: string): Promise<boolean> {
  if (!(await exists(shared))) return false;
  const now = new Date();
  try {
    await utimes(shared, now, now);
  } catch (error) {
    // Another user's: they are kept by what that user takes.
    if (!hasErrorCode(error, 'EPERM', 'EACCES', 'EROFS')) throw error;
  }
  try {
    await copyTree(shared, objects, () => true);
    return true;
  } catch (error) {
    // Their owner has thrown them away meanwhile.
    if (!hasErrorCode(error, 'ENOENT')) throw error;
    await rm(objects, { recursive: true });
    await mkdir(objects);
    return false;
  }
}

/**
 * Shares the objects of a finished build, without whatever was made from the application's own sources: its objects,
 * what was linked from them, and the images. Objects that nobody took for a month are thrown away.
 *
 * @param application  the path at which make saw the application and what lies around it
 * @param registered  the libraries that the application registers, even if their sources lie elsewhere
 */
export async function shareObjects(
  objects: string,
  shared: string,
  application: string,
  registered: readonly string[],
): Promise<void> {
  const own = new Set([...registered, ...(await findApplicationLibraries(objects, application))]);
  try {
    await replaceAtomically(shared, (temporary) =>
      copyTree(objects, temporary, (name) => !own.has(libraryOf(name)) && !isImage(name)),
    );
  } catch (error) {
    // Another build shared the same objects a moment ago; they are as good as these.
    if (!hasErrorCode(error, 'ENOTEMPTY', 'EEXIST')) throw error;
  }
  await removeUnused(dirname(shared));
}

const keptFor = 30 * 24 * 60 * 60 * 1000;

async function removeUnused(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    try {
      const { mtimeMs } = await stat(path);
      if (Date.now() - mtimeMs > keptFor) await rm(path, { recursive: true });
    } catch (error) {
      // Another build removed it meanwhile, or it is another user's, who will.
      if (!hasErrorCode(error, 'ENOENT', 'EPERM', 'EACCES')) throw error;
    }
  }
}

/**
 * The libraries that have something of the application in them. Compilers list the files that an object was made from
 * in a `.d` file, and the core's rules leave each command in a `.cmd` file beside its result.
 */
async function findApplicationLibraries(objects: string, application: string): Promise<ReadonlySet<string>> {
  const libraries = new Set<string>();
  for (const entry of await readdir(objects, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.(d|cmd)$/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    const library = libraryOf(path.slice(objects.length + 1).split('/')[0] ?? '');
    // KConfig's list of inputs names the application's Config.uk, but what it made of it is the same for all.
    if (library === 'include' || libraries.has(library)) continue;
    if ((await readFile(path, 'utf8')).includes(`${application}/`)) libraries.add(library);
  }
  return libraries;
}

function isImage(name: string): boolean {
  return name.startsWith(`${imageBaseName}_`) || name === mapName;
}

/** A library's folder is `<library>`, beside it lie `<library>.o`, `<library>.ld.o` and their commands. */
function libraryOf(name: string): string {
  return name.replace(/(\.ld)?\.o(\.cmd)?$/, '');
}

/**
 * Copies a tree and gives all of it one time, the present: make then takes every copy as up to date, with the sources
 * and with each other.
 *
 * @param keep  whether to copy an entry of the tree's top, by its name
 */
async function copyTree(
  source: string,
  target: string,
  keep: (name: string) => boolean,
  now = new Date(),
): Promise<void> {
  await mkdir(target, { recursive: true });
  for (const entry of await readdir(source, { withFileTypes: true })) {
    if (!keep(entry.name)) continue;
    const [from, to] = [join(source, entry.name), join(target, entry.name)];
    if (entry.isDirectory()) await copyTree(from, to, () => true, now);
    else if (entry.isSymbolicLink()) await symlink(await readlink(from), to);
    else await copyFile(from, to, constants.COPYFILE_FICLONE).then(() => utimes(to, now, now));
  }
}
