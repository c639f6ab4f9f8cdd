import type { ExecutorContext } from '@nx/devkit';
import { type LogsTaskOptions, showLogs } from '../../tasks/cloud/manage-project.ts';
import { type TaskResult, runTask } from '../../tasks/task.ts';

/** Shows what deployed instances have written. */
export default function logs(options: LogsTaskOptions, { root }: ExecutorContext): Promise<TaskResult> {
  return runTask((signal) => showLogs(root, options, signal));
}
