import { basename, dirname, join, posix } from 'node:path';
import { type Tree, getProjects, globAsync } from '@nx/devkit';
import { isKraftfile, kraftfileNames, kraftfilesOfFolder, readKraftfile } from '@nx-kraft/kraftfile';
import { assignProjectNames } from '../inference/project-names.ts';
import { GeneratorFault } from './fault.ts';

/** A folder with a Kraftfile, as the tree has it. */
export interface TreeProject {
  /** Relative to the workspace, with `/`. */
  readonly root: string;
  readonly kraftfile: string;
  /** As Nx knows it. */
  readonly name: string;
  /** As the Kraftfile has it, which Nx cannot take where others have the same, or it has spaces. */
  readonly ownName: string;
}

/** The Kraftfile of each folder that has one, sorted. */
export async function findKraftfiles(tree: Tree): Promise<readonly string[]> {
  const files = await globAsync(tree, [`**/{${kraftfileNames.join(',')}}`]);
  const meant = files.filter((file) => isKraftfile(tree.read(file, 'utf8') ?? ''));
  const folders = Map.groupBy(meant, (file) => dirname(file));
  return [...folders]
    .map(([folder, paths]) => posix.join(folder, kraftfilesOfFolder(paths.map((path) => basename(path))).default ?? ''))
    .toSorted();
}

/** All projects of Kraftfiles. */
export async function findKraftprojects(tree: Tree): Promise<readonly TreeProject[]> {
  const found = (await findKraftfiles(tree)).map((kraftfile) => {
    const root = dirname(kraftfile);
    const directoryName = basename(join(tree.root, root));
    const { kraftfile: read } = readKraftfile(tree.read(kraftfile, 'utf8') ?? '', { file: kraftfile, directoryName });
    return { root, kraftfile, ownName: read?.name ?? directoryName };
  });
  const given = new Map([...getProjects(tree)].map(([name, { root }]) => [root, name]));
  const inferred = assignProjectNames(new Map(found.map(({ root, ownName }) => [root, ownName])));
  return found.map((project) => ({
    ...project,
    name: given.get(project.root) ?? inferred.get(project.root) ?? project.ownName,
  }));
}

/**
 * The project that a user means by its name or its folder.
 *
 * @throws GeneratorFault NOT_FOUND
 */
export async function findKraftproject(tree: Tree, given: string): Promise<TreeProject> {
  const projects = await findKraftprojects(tree);
  const folder = posix.normalize(given.replaceAll('\\', '/')).replace(/(.)\/$/, '$1');
  const found = projects.find(({ name }) => name === given) ?? projects.find(({ root }) => root === folder);
  if (found !== undefined) return found;
  throw new GeneratorFault('NOT_FOUND', `there is no project '${given}' with a Kraftfile`, {
    hint:
      projects.length === 0
        ? 'Make one first: nx g nx-kraft:app apps/web'
        : `There are: ${projects.map(({ name }) => name).join(', ')}.`,
  });
}
