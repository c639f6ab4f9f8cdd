import type { ExecutorContext } from '@nx/devkit';
import { type BuildOptions, buildTarget } from '../../tasks/build-target.ts';
import { type TaskResult, runTask } from '../../tasks/task.ts';

/** Builds the kernel of one target. */
export default function build(options: BuildOptions, { root }: ExecutorContext): Promise<TaskResult> {
  return runTask((signal) => buildTarget(root, options, signal));
}
