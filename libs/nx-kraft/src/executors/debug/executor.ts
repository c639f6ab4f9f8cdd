import type { ExecutorContext } from '@nx/devkit';
import { type DebugOptions, debugTarget } from '../../tasks/debug-target.ts';
import { type TaskResult, runTask } from '../../tasks/task.ts';
import { type Typed, asTyped } from '../../tasks/typed-options.ts';

/** Starts a target that waits for gdb. */
export default function debug(options: DebugOptions & Typed, context: ExecutorContext): Promise<TaskResult> {
  return runTask(context, (signal) =>
    debugTarget(context.root, asTyped<DebugOptions>(options, { texts: ['env', 'memory'], lists: ['args'] }), signal),
  );
}
