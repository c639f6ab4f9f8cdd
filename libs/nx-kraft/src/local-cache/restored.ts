import type { PostTasksExecutionContext } from '@nx/devkit';
import { describeError } from '@nx-kraft/base';
import { hasWholeEntry, removeDamagedEntries } from './entries.ts';
import { findDamage, findSeal, inWorkspace, isMadeAgain } from './seal.ts';

type Run = Pick<PostTasksExecutionContext, 'argv' | 'taskResults' | 'workspaceRoot'>;

/**
 * Makes sure that what Nx took from a cache during a run is what tasks once made: Nx looks at none of it. What is damaged is
 * made again. Results that Nx left as they were are none of these.
 *
 * @throws Error with all that could not be made again, when the rest is
 */
export async function mendRestored(
  { argv, taskResults, workspaceRoot }: Run,
  tell: (line: string) => void,
): Promise<void> {
  const faults: unknown[] = [];
  for (const { status, task, terminalOutput = '' } of Object.values(taskResults)) {
    if (status !== 'local-cache' && status !== 'remote-cache') {
      // Nx shows what tasks say when one was asked for, and of many only what failed.
      if (argv.some((word) => ['run-many', 'affected'].includes(word))) tellAgain(terminalOutput, tell);
      continue;
    }
    if (findSeal(task.outputs) === undefined || (await hasWholeEntry(workspaceRoot, task))) continue;
    await removeDamagedEntries(workspaceRoot, task);
    const damage = await findDamage(inWorkspace(workspaceRoot), task.outputs);
    if (damage === undefined) continue;
    const { isBeingMended, mend } = await import('./mend.ts');
    if (isBeingMended(task)) continue;
    await mend(workspaceRoot, task, damage, tell).catch((fault: unknown) => faults.push(fault));
  }
  if (faults.length > 0) throw new Error(faults.map(describeError).join('\n'));
}

/** What a task has told of the results of others that it had made again. */
function tellAgain(output: string, tell: (line: string) => void): void {
  if (!output.includes(isMadeAgain)) return;
  for (const line of output.split('\n').filter((text) => text.trimEnd().endsWith(isMadeAgain))) tell(line);
}
