import type { ExecutorContext, Task, TaskGraph } from '@nx/devkit';
import { findDamage, findSeal, inWorkspace, sealResults } from './seal.ts';

/** The part of what Nx tells an executor that this room needs. */
export type TaskContext = Pick<
  ExecutorContext,
  'configurationName' | 'projectGraph' | 'projectName' | 'root' | 'targetName' | 'taskGraph'
>;

/**
 * Makes sure that what a task takes from those before it is what they made: Nx gives what its cache has of them unseen.
 * What is damaged is made again.
 *
 * @throws CacheFault
 */
export async function checkTaken(
  context: TaskContext,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { root, taskGraph } = context;
  if (taskGraph === undefined) return;
  for (const task of sealedBefore(idOf(context), taskGraph)) {
    const damage = await findDamage(inWorkspace(root), task.outputs);
    if (damage === undefined) continue;
    const { mend } = await import('./mend.ts');
    await mend(root, task, damage, tell, signal);
  }
}

/** Seals what the task itself has made. */
export async function sealMade(context: TaskContext): Promise<void> {
  const outputs = context.taskGraph?.tasks[idOf(context)]?.outputs ?? [];
  await sealResults(inWorkspace(context.root), outputs);
}

function idOf({ projectName, targetName, configurationName }: TaskContext): string {
  return [projectName, targetName, ...(configurationName === undefined ? [] : [configurationName])].join(':');
}

/** The tasks with results that a task waits for, behind such as only stand for others. */
function sealedBefore(id: string, graph: TaskGraph): readonly Task[] {
  // Before version 24 of Nx they are the names alone.
  const edges: readonly (string | { readonly id: string })[] = graph.dependencies[id] ?? [];
  return edges.flatMap((edge) => {
    const before = typeof edge === 'string' ? edge : edge.id;
    const task = graph.tasks[before];
    return task !== undefined && findSeal(task.outputs) !== undefined ? [task] : sealedBefore(before, graph);
  });
}
