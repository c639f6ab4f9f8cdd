import type { TargetConfiguration } from '@nx/devkit';
import type { TaskNames } from '../options.ts';
import { testFileName } from '../tasks/files.ts';
import { describe } from './describe.ts';
import type { InferenceSource } from './targets.ts';

/**
 * Tasks that boot what was built, or end what runs. None of them is cached: what they give is what happens meanwhile.
 *
 * @param before  gives the tasks that must have been run before one of these can start a machine
 */
export function machineTargets(
  { kraftfile, summary }: InferenceSource,
  names: TaskNames,
  before: (task: string) => string[],
): Record<string, TargetConfiguration> {
  const options = { kraftfile };
  const debug: TargetConfiguration = {
    executor: 'nx-kraft:debug',
    options,
    continuous: true,
    dependsOn: before(names.debug),
    metadata: describe("Boots the host's best target, waiting for gdb, and shows the line for gdb"),
  };
  return {
    [names.run]: {
      executor: 'nx-kraft:run',
      options,
      continuous: true,
      // The executor tells: QEMU takes connections to its ports long before the guest does.
      readyWhen: { signal: true },
      dependsOn: before(names.run),
      metadata: describe("Boots the host's best target and shows its console"),
    },
    [names.stop]: {
      executor: 'nx-kraft:stop',
      options,
      metadata: describe('Stops all machines that run what was built here'),
    },
    // A runtime has no kernel with debug information.
    ...(summary.kernels === 'source' ? { [names.debug]: debug } : {}),
    [names.bootReport]: {
      executor: 'nx-kraft:boot-report',
      options,
      dependsOn: before(names.bootReport),
      // What else runs on this machine would be measured, too.
      parallelism: false,
      metadata: describe(`Boots the first scenario of ${testFileName} many times and tells times, memory and sizes`),
    },
  };
}
