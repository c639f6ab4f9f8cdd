import type { ExecutorContext } from '@nx/devkit';
import { type PackageOptions, packageTargets } from '../../tasks/package-targets.ts';
import { type TaskResult, runTask } from '../../tasks/task.ts';
import { type Typed, asTyped } from '../../tasks/typed-options.ts';

/** Packs the targets of a Kraftfile into one OCI image layout. */
export default function packageExecutor(
  options: PackageOptions & Typed,
  context: ExecutorContext,
): Promise<TaskResult> {
  return runTask(context, () =>
    packageTargets(context.root, asTyped<PackageOptions>(options, { lists: ['args', 'tags'] })),
  );
}
