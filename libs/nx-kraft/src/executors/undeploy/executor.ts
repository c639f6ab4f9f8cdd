import type { ExecutorContext } from '@nx/devkit';
import { type UndeployTaskOptions, undeployProject } from '../../tasks/cloud/manage-project.ts';
import { type TaskResult, runTask } from '../../tasks/task.ts';

/** Removes what is deployed from Unikraft Cloud. */
export default function undeploy(options: UndeployTaskOptions, { root }: ExecutorContext): Promise<TaskResult> {
  return runTask(() => undeployProject(root, options));
}
