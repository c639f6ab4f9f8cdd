import type { ExecutorContext } from '@nx/devkit';
import { type PublishOptions, publishRelease } from '../../tasks/publish-release.ts';
import { type TaskResult, runTask } from '../../tasks/task.ts';

/** Pushes the packed image of a Kraftfile under its released version. */
export default function releasePublish(options: PublishOptions, context: ExecutorContext): Promise<TaskResult> {
  return runTask(() => publishRelease(context.root, options, context));
}
