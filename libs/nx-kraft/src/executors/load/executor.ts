import type { ExecutorContext } from '@nx/devkit';
import { type LoadOptions, loadPackage } from '../../tasks/load-package.ts';
import { type TaskResult, runTask } from '../../tasks/task.ts';

/** Takes the packed image of a Kraftfile into the images of this machine. */
export default function load(options: LoadOptions, context: ExecutorContext): Promise<TaskResult> {
  return runTask(context, () => loadPackage(context.root, options));
}
