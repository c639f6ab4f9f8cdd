import type { Tree } from '@nx/devkit';
import { ProgramFault, run } from '@nx-kraft/base';
import { GeneratorFault } from './fault.ts';

/**
 * Makes sure that git can bring a folder back. Outside of a repository there is nothing to check.
 *
 * @param why  what is about to happen to it
 * @throws GeneratorFault NOT_COMMITTED
 */
export async function checkCommitted(tree: Tree, folder: string, why: string): Promise<void> {
  const changes = await uncommitted(tree.root, folder);
  if (changes.length === 0) return;
  const shown = changes.slice(0, 3).join(', ');
  const more = changes.length > 3 ? ` and ${changes.length - 3} more` : '';
  throw new GeneratorFault(
    'NOT_COMMITTED',
    `${folder} has changes that are in no commit, and ${why}: ${shown}${more}`,
    {
      hint: 'Commit or stash them first, or give --force.',
    },
  );
}

async function uncommitted(root: string, folder: string): Promise<readonly string[]> {
  try {
    const told = await run('git', ['status', '--porcelain', '-z', '--', folder], { cwd: root });
    return told.split('\0').flatMap((line) => (/^.. /.test(line) ? [line.slice(3)] : []));
  } catch (error) {
    // No repository, or no git: then git could not bring anything back before either.
    if (error instanceof ProgramFault) return [];
    throw error;
  }
}
