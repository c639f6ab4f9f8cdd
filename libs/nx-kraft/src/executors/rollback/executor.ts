import type { ExecutorContext } from '@nx/devkit';
import { type RollbackTaskOptions, rollBackProject } from '../../tasks/cloud/manage-project.ts';
import { type TaskResult, runTask } from '../../tasks/task.ts';

/** Goes back to an earlier version of what is deployed. */
export default function rollback(options: RollbackTaskOptions, context: ExecutorContext): Promise<TaskResult> {
  return runTask(context, (signal) => rollBackProject(context.root, options, signal));
}
