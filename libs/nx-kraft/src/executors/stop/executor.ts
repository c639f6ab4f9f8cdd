import type { ExecutorContext } from '@nx/devkit';
import { type StopOptions, stopTarget } from '../../tasks/stop-target.ts';
import { type TaskResult, runTask } from '../../tasks/task.ts';

/** Stops the machines of a project. */
export default function stop(options: StopOptions, context: ExecutorContext): Promise<TaskResult> {
  return runTask(context, () => stopTarget(context.root, options));
}
