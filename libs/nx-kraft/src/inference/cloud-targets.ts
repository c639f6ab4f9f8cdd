import type { TargetConfiguration } from '@nx/devkit';
import type { TaskNames } from '../options.ts';
import { describe } from './describe.ts';
import { nothingOfItsOwn } from './inputs.ts';
import type { InferenceSource } from './targets.ts';

/**
 * Tasks for Unikraft Cloud, where the project has a file with settings for it: most unikernels never go there, and a task
 * that is inferred everywhere would be run everywhere by `nx run-many -t deploy`. The settings are in that file and not in
 * options, which are part of the cache keys of all tasks of the project: another port is no reason to build a kernel.
 *
 * None of them is ever cached: what runs elsewhere is no result that could be taken from here.
 */
export function cloudTargets(
  { kraftfile, facts }: InferenceSource,
  names: TaskNames,
): Record<string, TargetConfiguration> {
  if (!facts.isDeployed) return {};
  const task = (executor: string, description: string, dependsOn: readonly string[] = []): TargetConfiguration => ({
    executor: `nx-kraft:${executor}`,
    options: { kraftfile },
    cache: false,
    dependsOn: [...dependsOn],
    metadata: describe(description),
  });
  return {
    [names.deploy]: {
      ...task('deploy', 'Rolls the packed image out to Unikraft Cloud, if it is not what runs there', [names.package]),
      inputs: ['{projectRoot}/kraft.deploy*.json', ...nothingOfItsOwn],
    },
    [names.rollback]: task('rollback', 'Starts the version before the deployed one again, and stops that one'),
    [names.undeploy]: task('undeploy', 'Removes all that was deployed, but for volumes'),
    [names.logs]: task('logs', 'Shows what the deployed instances have written'),
    [names.status]: task('status', 'Tells which instances are deployed, and where they can be reached'),
  };
}
