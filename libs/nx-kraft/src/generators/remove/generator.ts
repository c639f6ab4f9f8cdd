import { posix } from 'node:path';
import { type Tree, getProjects } from '@nx/devkit';
import { isRemoteSource } from '@nx-kraft/components';
import { readKraftfile } from '@nx-kraft/kraftfile';
import { GeneratorFault } from '../fault.ts';
import { type CommonOptions, asGenerator, tellAfterwards } from '../generator.ts';
import { type TreeProject, findKraftproject, findKraftprojects } from '../kraftprojects.ts';
import { checkCommitted } from '../uncommitted.ts';
import { removeEntries } from '../vscode/files.ts';

export interface RemoveOptions extends CommonOptions {
  readonly project: string;
  readonly force?: boolean;
}

/** Removes a project with all of its folder, and what the editor's settings say of it. */
export default asGenerator<RemoveOptions>(async (tree, { project: given, force = false }) => {
  const project = await findKraftproject(tree, given);
  if (project.root === '.') {
    throw new GeneratorFault('BAD_FOLDER', `${project.name} is the workspace's root, which is more than a project`, {
      hint: `Remove ${project.kraftfile} by hand.`,
    });
  }
  if (!force) {
    await checkUnused(tree, project);
    await checkCommitted(tree, project.root, 'would be lost');
  }
  tree.delete(project.root);
  removeEntries(tree, project.name);
  return tellAfterwards(`${project.name} is gone. npx nx sync takes what nobody names any more out of kraft.lock.`);
});

/** @throws GeneratorFault IN_USE */
async function checkUnused(tree: Tree, { name, root }: TreeProject): Promise<void> {
  const others = (await findKraftprojects(tree)).filter((other) => other.root !== root);
  const users = others.filter((other) =>
    sources(tree, other).some((path) => path === root || path.startsWith(`${root}/`)),
  );
  const dependents = [...getProjects(tree)].filter(([, { implicitDependencies = [] }]) =>
    implicitDependencies.includes(name),
  );
  const all = [...new Set([...users.map((user) => user.name), ...dependents.map(([dependent]) => dependent)])];
  const nested = others.filter((other) => other.root.startsWith(`${root}/`)).map((other) => other.name);
  if (all.length === 0 && nested.length === 0) return;
  const reason =
    all.length > 0 ? `${all.join(', ')} ${all.length === 1 ? 'uses' : 'use'} it` : `${nested.join(', ')} lies in it`;
  throw new GeneratorFault('IN_USE', `${name} cannot be removed: ${reason}`, {
    hint: 'Change that first, or give --force.',
  });
}

/** The folders of the workspace that a Kraftfile names. */
function sources(tree: Tree, { root, kraftfile: file }: TreeProject): readonly string[] {
  const { kraftfile } = readKraftfile(tree.read(file, 'utf8') ?? '', { file, directoryName: 'app' });
  if (kraftfile === undefined) return [];
  const { unikraft, template, libraries, rootfs, volumes } = kraftfile;
  const named = [unikraft, template, ...libraries, rootfs, ...volumes].flatMap((part) => part?.source ?? []);
  return named.filter((source) => !isRemoteSource(source)).map((source) => posix.join(root, source));
}
