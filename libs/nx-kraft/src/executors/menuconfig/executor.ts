import type { ExecutorContext } from '@nx/devkit';
import { type TaskResult, runTask } from '../../tasks/task.ts';
import { type MenuconfigOptions, changeConfig } from '../../tasks/change-config.ts';

/** Changes the configuration of a kernel in menus. */
export default function menuconfig(options: MenuconfigOptions, context: ExecutorContext): Promise<TaskResult> {
  return runTask(context, (signal) => changeConfig(context.root, options, signal));
}
