import type { ExecutorContext } from '@nx/devkit';
import { type BuildOptions, buildTarget } from '../../tasks/build-target.ts';
import { type TaskResult, runTask } from '../../tasks/task.ts';
import { withUnchangedInputs } from '../../tasks/unchanged-inputs.ts';

type Options = Omit<BuildOptions, 'target'> & Partial<Pick<BuildOptions, 'target'>>;

/** Builds the kernel of one target; without one it stands for those of all targets, which are built before it. */
export default function build({ target, ...options }: Options, context: ExecutorContext): Promise<TaskResult> {
  if (target === undefined) return Promise.resolve({ success: true });
  return runTask(context, (signal) =>
    withUnchangedInputs(context, () => buildTarget(context.root, { ...options, target }, signal)),
  );
}
