import type { ExecutorContext } from '@nx/devkit';
import { type PublishOptions, publishRelease } from '../../tasks/publish-release.ts';
import { type TaskResult, runTask } from '../../tasks/task.ts';
import { type Typed, asTyped } from '../../tasks/typed-options.ts';

/** Pushes the packed image of a Kraftfile under its released version. */
export default function releasePublish(options: PublishOptions & Typed, context: ExecutorContext): Promise<TaskResult> {
  return runTask(context, () =>
    publishRelease(context.root, asTyped<PublishOptions>(options, { texts: ['tag'] }), context),
  );
}
