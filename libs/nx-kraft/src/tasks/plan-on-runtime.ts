import { join, resolve } from 'node:path';
import { rootfsName } from '@nx-kraft/kraftfile/outputs';
import type { KernelRun } from '@nx-kraft/machine';
import { initrdOf } from './initrd-mount.ts';
import type { Kraftproject } from './kraftproject.ts';
import { machineSettings } from './machine-options.ts';
import { type ProjectMachineOptions, chooseTarget, projectVolumes, tellOfMemory } from './machine-plan.ts';
import { runtimeImageName } from './needs.ts';
import type { NetworkOptions } from './network.ts';
import { planImage, readConfig } from './plan-image.ts';
import { findCommand } from './run-defaults.ts';

/**
 * Plans the machine for a project on an image's kernel, in place of the one that it has or would build. All else is as for
 * its own: the root file system that was made, the command, the variables, where those of the image come first, and volumes.
 *
 * @param runtime  the image's name, as a Kraftfile has it
 * @throws ProjectFault when there is no such target, or its root file system has not been made; MachineFault, OciFault,
 *   RegistryFault
 */
export async function planOnRuntime(
  project: Kraftproject,
  runtime: string,
  options: ProjectMachineOptions & NetworkOptions,
): Promise<KernelRun> {
  const { kraftfile, folder } = project;
  const { platform, architecture } = chooseTarget(project, options.for);
  const { rootfsArgs, env } = await findCommand(project, architecture);
  const settings = await machineSettings(options, resolve(), kraftfile.env);
  const { args: ownArgs = [], ...image } = await planImage(runtimeImageName(runtime), {
    ...options,
    platform,
    architecture,
  });
  const { rootfs } = kraftfile;
  const initrd = rootfs === undefined ? image.initrd : join(folder, rootfsName(kraftfile, architecture, rootfs.format));
  if (initrd !== undefined) await tellOfMemory(initrd, settings.memory);
  return {
    ...image,
    ...settings,
    name: kraftfile.name,
    ...(initrd === undefined ? {} : initrdOf(initrd, await readConfig(image.kernel))),
    args: options.args ?? kraftfile.cmd ?? (ownArgs.length > 0 ? ownArgs : (rootfsArgs ?? [])),
    env: { ...image.env, ...env, ...settings.env },
    volumes: [...(await projectVolumes(project)), ...settings.volumes],
  };
}
