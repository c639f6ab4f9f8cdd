import type { ExecutorContext } from '@nx/devkit';
import { type BootReportOptions, reportBoots } from '../../tasks/boot-report-target.ts';
import { type TaskResult, runTask } from '../../tasks/task.ts';
import { type Typed, asTyped } from '../../tasks/typed-options.ts';

/** Boots a target many times and tells how long it takes and what it weighs. */
export default function bootReport(options: BootReportOptions & Typed, context: ExecutorContext): Promise<TaskResult> {
  return runTask(context, (signal) =>
    reportBoots(context.root, asTyped<BootReportOptions>(options, { texts: ['base', 'scenario'] }), signal),
  );
}
