import type { ExecutorContext } from '@nx/devkit';
import { type TestOptions, testTarget } from '../../tasks/test-target.ts';
import { type TaskResult, runTask } from '../../tasks/task.ts';

/** Boots a target for each scenario of its project and checks what it does. */
export default function test(options: TestOptions, context: ExecutorContext): Promise<TaskResult> {
  return runTask(context, (signal) => testTarget(context.root, options, signal));
}
