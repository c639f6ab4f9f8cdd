import type { ExecutorContext } from '@nx/devkit';
import { type RootfsOptions, makeRootfs } from '../../tasks/make-rootfs.ts';
import { type TaskResult, runTask } from '../../tasks/task.ts';

/** Makes the root file system of a Kraftfile. */
export default function rootfs(options: RootfsOptions, { root }: ExecutorContext): Promise<TaskResult> {
  return runTask((signal) => makeRootfs(root, options, signal));
}
