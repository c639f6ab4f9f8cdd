import type { ExecutorContext } from '@nx/devkit';
import { batchOf } from '../../tasks/batch.ts';
import { type PackageOptions, packageTargets } from '../../tasks/package-targets.ts';
import { type TaskResult, runTask } from '../../tasks/task.ts';
import { type Typed, asTyped } from '../../tasks/typed-options.ts';

type Options = PackageOptions & Typed;

/** Packs the targets of a Kraftfile into one OCI image layout. */
export default function packageExecutor(options: Options, context: ExecutorContext): Promise<TaskResult> {
  return runTask(context, () => pack(options, context));
}

/** Packs those of many Kraftfiles in one process. */
export const packageBatch = batchOf(pack);

function pack(options: Options, context: ExecutorContext): Promise<void> {
  return packageTargets(context.root, asTyped<PackageOptions>(options, { lists: ['args', 'tags'] }));
}
