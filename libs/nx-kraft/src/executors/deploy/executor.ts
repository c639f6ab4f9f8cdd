import type { ExecutorContext } from '@nx/devkit';
import { type DeployTaskOptions, deployProject } from '../../tasks/cloud/deploy-project.ts';
import { type TaskResult, runTask } from '../../tasks/task.ts';

/** Rolls the packed image of a Kraftfile out to Unikraft Cloud. */
export default function deploy(options: DeployTaskOptions, { root }: ExecutorContext): Promise<TaskResult> {
  return runTask((signal) => deployProject(root, options, signal));
}
