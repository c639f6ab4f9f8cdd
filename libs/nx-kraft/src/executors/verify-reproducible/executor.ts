import type { ExecutorContext } from '@nx/devkit';
import { type TaskResult, runTask } from '../../tasks/task.ts';
import { type VerifyOptions, verifyTargets } from '../../tasks/verify-targets.ts';

/** Builds kernels twice and compares their bits. */
export default function verifyReproducible(options: VerifyOptions, context: ExecutorContext): Promise<TaskResult> {
  return runTask(context, (signal) => verifyTargets(context.root, options, signal));
}
