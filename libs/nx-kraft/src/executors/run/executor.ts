import type { ExecutorContext } from '@nx/devkit';
import { type RunOptions, runTarget } from '../../tasks/run-target.ts';
import { type TaskResult, runTask } from '../../tasks/task.ts';

/** Boots a target and shows its console until it ends. */
export default function run(options: RunOptions, { root }: ExecutorContext): Promise<TaskResult> {
  return runTask((signal) => runTarget(root, options, signal));
}
