import type { ExecutorContext } from '@nx/devkit';
import { type ConfigOptions, showConfig } from '../../tasks/show-config.ts';
import { type TaskResult, runTask } from '../../tasks/task.ts';

/** Shows the finished configuration of a kernel. */
export default function config(options: ConfigOptions, context: ExecutorContext): Promise<TaskResult> {
  return runTask(context, (signal) => showConfig(context, options, signal));
}
