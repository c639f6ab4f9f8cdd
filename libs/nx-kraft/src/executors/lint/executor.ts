import { relative, resolve } from 'node:path';
import type { ExecutorContext } from '@nx/devkit';
import { lintPaths } from '@nx-kraft/kraftfile';
import type { TaskResult } from '../../tasks/task.ts';

export interface LintOptions {
  readonly kraftfile: string;
}

/** Checks one Kraftfile; warnings alone let it pass. */
export default async function lint({ kraftfile }: LintOptions, { root }: ExecutorContext): Promise<TaskResult> {
  const { report, exitCode } = await lintPaths([relative('', resolve(root, kraftfile))], { env: process.env });
  process.stdout.write(report);
  return { success: exitCode === 0 };
}
