import type { ExecutorContext } from '@nx/devkit';
import { showProject } from '../../tasks/cloud/manage-project.ts';
import type { CloudOptions } from '../../tasks/cloud/settings.ts';
import { type TaskResult, runTask } from '../../tasks/task.ts';

/** Tells what is deployed on Unikraft Cloud. */
export default function status(options: CloudOptions, context: ExecutorContext): Promise<TaskResult> {
  return runTask(context, () => showProject(context.root, options));
}
