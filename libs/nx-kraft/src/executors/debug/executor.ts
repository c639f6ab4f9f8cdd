import type { ExecutorContext } from '@nx/devkit';
import { type DebugOptions, debugTarget } from '../../tasks/debug-target.ts';
import { type TaskResult, runTask } from '../../tasks/task.ts';

/** Starts a target that waits for gdb. */
export default function debug(options: DebugOptions, { root }: ExecutorContext): Promise<TaskResult> {
  return runTask((signal) => debugTarget(root, options, signal));
}
