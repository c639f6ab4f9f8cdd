import type { PostTasksExecutionContext } from '@nx/devkit';
import type { TaskNames } from '../options.ts';

/**
 * What to say of targets that were asked for as `project:task:target` and that there are not: Nx takes the last word for a
 * configuration, and without a word runs the task as if it were not there.
 *
 * @param argv  as Nx was called
 * @returns a line for each
 */
export function unknownTargets(
  { argv, taskResults }: Pick<PostTasksExecutionContext, 'argv' | 'taskResults'>,
  names: TaskNames,
): readonly string[] {
  const ran = Object.values(taskResults).map(({ task }) => task.target);
  return argv.flatMap((word) => {
    const [, project = '', task = '', asked = ''] = /^([^-:][^:]*):([^:]+):(.+)$/.exec(word) ?? [];
    if (!Object.values(names).includes(task)) return [];
    const ofProject = ran.filter((target) => target.project === project);
    const wasTask = ofProject.some(({ target, configuration }) => target === task && configuration === undefined);
    const wasTarget = ofProject.some(({ target }) => target === `${task}:${asked}`);
    if (!wasTask || wasTarget) return [];
    return [
      `warning: ${project} has no task ${task}:${asked}, and Nx ran ${task} instead; nx show project ${project} tells which there are`,
    ];
  });
}
