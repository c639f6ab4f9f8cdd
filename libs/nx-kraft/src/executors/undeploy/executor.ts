import type { ExecutorContext } from '@nx/devkit';
import { type UndeployTaskOptions, undeployProject } from '../../tasks/cloud/manage-project.ts';
import { type TaskResult, runTask } from '../../tasks/task.ts';

/** Removes what is deployed from Unikraft Cloud. */
export default function undeploy(options: UndeployTaskOptions, context: ExecutorContext): Promise<TaskResult> {
  return runTask(context, () => undeployProject(context.root, options));
}
