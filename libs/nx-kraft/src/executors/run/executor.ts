import type { ExecutorContext } from '@nx/devkit';
import { type RunOptions, runTarget } from '../../tasks/run-target.ts';
import { type TaskResult, runTask } from '../../tasks/task.ts';
import { type Typed, asTyped } from '../../tasks/typed-options.ts';

/** Boots a target and shows its console until it ends. */
export default function run(options: RunOptions & Typed, context: ExecutorContext): Promise<TaskResult> {
  return runTask(context, (signal) =>
    runTarget(
      context.root,
      asTyped<RunOptions>(options, { texts: ['env', 'memory', 'name', 'prefix'], lists: ['args'] }),
      signal,
    ),
  );
}
