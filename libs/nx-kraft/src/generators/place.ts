import { basename, isAbsolute, posix, relative, sep } from 'node:path';
import { type Tree, getProjects } from '@nx/devkit';
import { GeneratorFault } from './fault.ts';
import { findKraftprojects } from './kraftprojects.ts';

/**
 * A folder that a user gave as a path relative to the workspace, with `/` and without anything superfluous; `.` for the
 * workspace's root. Paths with `\` are understood.
 *
 * @throws GeneratorFault BAD_FOLDER for one that is not in the workspace
 */
export function readFolder(tree: Tree, given: string): string {
  const slashes = given.trim().replaceAll('\\', '/');
  const path = isAbsolute(slashes) ? toPosix(relative(tree.root, slashes)) : posix.join(currentFolder(tree), slashes);
  const folder = posix.normalize(path === '' ? '.' : path).replace(/\/$/, '');
  if (slashes === '' || /^[a-z]:/i.test(slashes) || folder === '..' || folder.startsWith('../')) {
    throw new GeneratorFault('BAD_FOLDER', `'${given}' is no folder of this workspace`, {
      hint: 'Give it relative to the workspace, such as apps/web.',
    });
  }
  return folder;
}

/** A new project's folder and name. */
export interface Place {
  readonly root: string;
  readonly name: string;
}

/** Where something new is to be made. */
export interface PlaceOptions {
  readonly directory: string;
  /** Default: the folder's name. */
  readonly name?: string;
}

/**
 * The place for something new, which must not be taken.
 *
 * @throws GeneratorFault BAD_FOLDER, BAD_NAME, or ALREADY_THERE for a name that another project has
 */
export async function findPlace(tree: Tree, { directory, name }: PlaceOptions): Promise<Place> {
  const root = readFolder(tree, directory);
  for (const part of root === '.' ? [] : root.split('/')) checkFolderName(part, directory);
  const place = { root, name: name ?? (root === '.' ? basename(tree.root) : posix.basename(root)) };
  checkName(place.name);
  const other = await ownerOf(tree, place.name);
  if (other === undefined || other === root) return place;
  throw new GeneratorFault('ALREADY_THERE', `the project in ${other} is named '${place.name}' already`, {
    hint: 'Choose another name by --name.',
  });
}

/**
 * Makes sure that files which are to be written are not there yet.
 *
 * @throws GeneratorFault ALREADY_THERE
 */
export function checkAbsent(tree: Tree, root: string, files: readonly string[]): void {
  const taken = files.filter((file) => tree.exists(posix.join(root, file)));
  if (taken.length === 0) return;
  throw new GeneratorFault('ALREADY_THERE', `${root} has ${list(taken)} already`, {
    hint: 'Nothing was changed. Choose another folder, or move what is there away.',
  });
}

function list(words: readonly string[]): string {
  return words.length > 1 ? `${words.slice(0, -1).join(', ')} and ${words.at(-1)}` : words.join('');
}

/** @throws GeneratorFault BAD_NAME for what cannot name a project, a file and a symbol of C */
export function checkName(name: string): void {
  if (/^[a-z][a-z0-9]*([._-][a-z0-9]+)*$/i.test(name) && name.length <= 60) return;
  const better = name
    .normalize('NFKD')
    .replaceAll(/[^a-z0-9]+/gi, '-')
    .replace(/^[-\d]+/, '')
    .replace(/-$/, '')
    .slice(0, 60);
  throw new GeneratorFault('BAD_NAME', `'${name}' is no name for a project`, {
    hint: `Names are letters and digits, begin with a letter, and may have '-', '_' and '.' between them, such as ${better || 'web'}.`,
  });
}

/** Names that Windows keeps for devices, and signs that no file system or make takes. */
function checkFolderName(part: string, given: string): void {
  if (!/["<>|:*?\s$#%=']|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(part)) return;
  throw new GeneratorFault('BAD_FOLDER', `'${given}' is no folder that every system and make can use`, {
    hint: 'Use letters, digits, - and _, such as apps/web.',
  });
}

/** The folder of the project that has a name. */
async function ownerOf(tree: Tree, name: string): Promise<string | undefined> {
  const others = await findKraftprojects(tree);
  return (
    getProjects(tree).get(name)?.root ?? others.find((project) => [project.name, project.ownName].includes(name))?.root
  );
}

/** Where the user stands in the workspace, as for Nx's own generators. */
function currentFolder(tree: Tree): string {
  const here = toPosix(relative(tree.root, process.env.INIT_CWD ?? process.cwd()));
  return here.startsWith('..') || isAbsolute(here) ? '' : here;
}

function toPosix(path: string): string {
  return path.split(sep).join('/');
}
