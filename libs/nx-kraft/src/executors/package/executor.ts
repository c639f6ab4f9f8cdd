import type { ExecutorContext } from '@nx/devkit';
import { type PackageOptions, packageTargets } from '../../tasks/package-targets.ts';
import { type TaskResult, runTask } from '../../tasks/task.ts';

/** Packs the targets of a Kraftfile into one OCI image layout. */
export default function packageExecutor(options: PackageOptions, { root }: ExecutorContext): Promise<TaskResult> {
  return runTask(() => packageTargets(root, options));
}
