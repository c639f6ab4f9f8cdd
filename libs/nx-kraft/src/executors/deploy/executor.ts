import type { ExecutorContext } from '@nx/devkit';
import { type DeployTaskOptions, deployProject } from '../../tasks/cloud/deploy-project.ts';
import { type TaskResult, runTask } from '../../tasks/task.ts';

/** Rolls the packed image of a Kraftfile out to Unikraft Cloud. */
export default function deploy(options: DeployTaskOptions, context: ExecutorContext): Promise<TaskResult> {
  return runTask(context, (signal) => deployProject(context.root, options, signal));
}
