import { resolve } from 'node:path';
import type { KernelRun } from '@nx-kraft/machine';
import type { Kraftproject } from './kraftproject.ts';
import { type ProjectMachineOptions, planOnKernel, projectInitrd } from './machine-plan.ts';
import { runtimeImageName } from './needs.ts';
import type { NetworkOptions } from './network.ts';
import { planImage, readConfig } from './plan-image.ts';

/**
 * Plans the machine for a project on an image's kernel, in place of the one that it has or would build. All else is as for
 * its own: the root file system that was made, the command, the variables and the volumes.
 *
 * @param runtime  the image's name, as a Kraftfile has it
 * @throws ProjectFault when there is no such target, or its root file system has not been made; MachineFault, OciFault,
 *   RegistryFault
 */
export function planOnRuntime(
  project: Kraftproject,
  runtime: string,
  options: ProjectMachineOptions & NetworkOptions,
): Promise<KernelRun> {
  const { offline } = options;
  return planOnKernel(project, options, resolve(), async ({ platform, architecture }) => {
    const image = await planImage(runtimeImageName(runtime), { offline, platform, architecture });
    const { kernel, args = [], env = {} } = image;
    const initrd = projectInitrd(project, architecture) ?? image.initrd;
    return { kernel, config: await readConfig(kernel), args, env, initrd };
  });
}
