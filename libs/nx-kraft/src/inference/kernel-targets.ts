import type { TargetConfiguration } from '@nx/devkit';
import type { TaskNames } from '../options.ts';
import { describe } from './describe.ts';
import type { InferenceSource } from './targets.ts';

/** Tasks about the configuration and the bits of kernels that are built from source; each is done anew when asked. */
export function kernelTargets(
  { kraftfile, summary }: InferenceSource,
  names: TaskNames,
): Record<string, TargetConfiguration> {
  if (summary.kernels !== 'source') return {};
  const options = { kraftfile };
  const edit = (action: 'set' | 'unset', description: string): TargetConfiguration => ({
    command: `nx-kraft ${action} ${kraftfile}`,
    metadata: describe(description),
  });
  const embedding = summary.targets.some(({ embedsRootfs }) => embedsRootfs);
  return {
    [names.config]: {
      executor: 'nx-kraft:config',
      options,
      metadata: describe('Shows the whole configuration of a kernel, or how it differs from another'),
    },
    [names.menuconfig]: {
      executor: 'nx-kraft:menuconfig',
      options,
      metadata: describe("Changes the configuration in Unikraft's menus and writes the changes to the Kraftfile"),
    },
    [names.set]: edit('set', 'Sets KConfig options in the Kraftfile: CONFIG_X=y …'),
    [names.unset]: edit('unset', 'Removes KConfig options from the Kraftfile: CONFIG_X …'),
    [names.verifyReproducible]: {
      executor: 'nx-kraft:verify-reproducible',
      options,
      dependsOn: embedding ? [names.rootfs] : [],
      metadata: describe('Builds each kernel twice in different surroundings and compares all bits'),
    },
  };
}
