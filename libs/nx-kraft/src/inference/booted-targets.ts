import { hostTarget } from '../tasks/host-target.ts';
import type { ProjectSettings } from './project-options.ts';
import type { Summary, TargetSummary } from './summary.ts';

/**
 * The targets that a task may boot: those that its options name by `for`, with any configuration, and the host's best one
 * where they name none. What is typed is not known here.
 */
export function bootedTargets(
  { targets }: Pick<Summary, 'targets'>,
  { variants }: Pick<ProjectSettings, 'variants'>,
  task: string,
): readonly TargetSummary[] {
  const chosen = variants(task).map((options) => options.for);
  const best = chosen.includes(undefined) ? hostTarget(targets) : undefined;
  return targets.filter((target) => target === best || chosen.includes(target.id));
}
