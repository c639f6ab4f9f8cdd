import { type ExecutorContext } from '@nx/devkit';
import { type TaskResult, runTask } from '../../tasks/task.ts';

export interface BuildOptions {
  readonly kraftfile: string;
  readonly target: string;
  readonly jobs?: number;
}

/** Builds the kernel of one target. */
export default function build(options: BuildOptions, { root }: ExecutorContext): Promise<TaskResult> {
  return runTask(async (signal) => {
    const { buildTarget } = await import('../../tasks/build-target.ts');
    await buildTarget(root, options, signal);
  });
}
