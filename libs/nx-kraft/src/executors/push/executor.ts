import type { ExecutorContext } from '@nx/devkit';
import { type PushOptions, pushPackage } from '../../tasks/push-package.ts';
import { type TaskResult, runTask } from '../../tasks/task.ts';
import { type Typed, asTyped } from '../../tasks/typed-options.ts';

/** Pushes the packed image of a Kraftfile to a registry. */
export default function push(options: PushOptions & Typed, context: ExecutorContext): Promise<TaskResult> {
  return runTask(context, () => pushPackage(context.root, asTyped<PushOptions>(options, { lists: ['tags'] }), context));
}
