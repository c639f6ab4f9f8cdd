import type { ExecutorContext } from '@nx/devkit';
import { type DebugOptions, debugTarget } from '../../tasks/debug-target.ts';
import { type TaskResult, runTask } from '../../tasks/task.ts';
import { type Typed, asTyped } from '../../tasks/typed-options.ts';

/** Starts a target that waits for gdb. */
export default function debug(options: DebugOptions & Typed, { root }: ExecutorContext): Promise<TaskResult> {
  return runTask((signal) =>
    debugTarget(root, asTyped<DebugOptions>(options, { texts: ['env', 'memory'], lists: ['args'] }), signal),
  );
}
