import type { ExecutorContext } from '@nx/devkit';
import { type LogsTaskOptions, showLogs } from '../../tasks/cloud/manage-project.ts';
import { type TaskResult, runTask } from '../../tasks/task.ts';

/** Shows what deployed instances have written. */
export default function logs(options: LogsTaskOptions, context: ExecutorContext): Promise<TaskResult> {
  return runTask(context, (signal) => showLogs(context.root, options, signal));
}
