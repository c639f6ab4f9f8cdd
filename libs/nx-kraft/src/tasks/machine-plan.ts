import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Target } from '@nx-kraft/kraftfile';
import { outputNames, rootfsName } from '@nx-kraft/kraftfile/outputs';
import {
  type KernelRun,
  MachineFault,
  type Volume,
  VolumeStore,
  parseMemory,
  parseVolume,
} from '@nx-kraft/machine/run';
import { defaultMemory } from '@nx-kraft/machine/memory';
import { memoryHint } from '@nx-kraft/rootfs/summary';
import { readKernelConfig, readRuntime } from './built-kernel.ts';
import { hostTarget } from './host-target.ts';
import { initrdOf, isEmbedded } from './initrd-mount.ts';
import { type Kraftproject, ProjectFault, findTarget, plannedTargets } from './kraftproject.ts';
import { type MachineOptions, machineSettings } from './machine-options.ts';
import { findCommand } from './run-defaults.ts';
import { tell } from './task.ts';

/** What a run of a project may choose beside what its Kraftfile says. */
export interface ProjectMachineOptions extends MachineOptions {
  /** The target's id; default: the one that this host runs best. */
  readonly for?: string;
}

/**
 * Plans the machine for a target that has been built: the Kraftfile's command and environment, and what the options
 * put over them.
 *
 * @param start  what relative paths in the options are relative to; default: the project's folder
 * @throws ProjectFault when there is no such target, or when it has not been built; MachineFault for options that
 *   cannot be
 */
export async function planMachine(
  project: Kraftproject,
  options: ProjectMachineOptions,
  start = project.folder,
): Promise<KernelRun> {
  const { kraftfile, folder } = project;
  const target = chooseTarget(project, options.for);
  const names = outputNames(kraftfile, target);
  const config = await readKernelConfig(project, target);
  const command = await findCommand(project, target.architecture);
  const isRuntime = kraftfile.unikraft === undefined && kraftfile.template === undefined;
  const runtime = isRuntime ? await readRuntime(project, target) : undefined;
  const runtimeArgs = runtime?.cmd ?? [];
  const { rootfs } = kraftfile;
  const initrd = join(
    folder,
    rootfs === undefined ? names.initrd : rootfsName(kraftfile, target.architecture, rootfs.format),
  );
  // A runtime's own files are in its kernel or its initrd; those of the project are put over them.
  const hasInitrd =
    runtime === undefined ? rootfs !== undefined && !isEmbedded(config) : rootfs !== undefined || runtime.hasInitrd;
  // What an image leaves empty is empty, and none of the host's variables: no key of a test could know of them.
  const settings = await machineSettings(options, start, kraftfile.env);
  if (hasInitrd) await tellOfMemory(initrd, settings.memory);
  return {
    name: kraftfile.name,
    kernel: join(folder, names.kernel),
    architecture: target.architecture as KernelRun['architecture'],
    platform: target.platform,
    ...(hasInitrd ? initrdOf(initrd, config) : {}),
    args: options.args ?? kraftfile.cmd ?? (runtimeArgs.length > 0 ? runtimeArgs : (command.rootfsArgs ?? [])),
    ...settings,
    env: { ...command.env, ...settings.env },
    volumes: [...(await projectVolumes(project)), ...settings.volumes],
  };
}

/** A machine that its root file system does not fit into ends early, and seldom says why. */
export async function tellOfMemory(initrd: string, memory: KernelRun['memory'] = defaultMemory): Promise<void> {
  const size = (await stat(initrd).catch(() => undefined))?.size ?? 0;
  const format = initrd.endsWith('.erofs') ? 'erofs' : 'cpio';
  const hint = memoryHint({ format, size }, typeof memory === 'number' ? memory : parseMemory(memory));
  if (hint !== undefined) tell(`warning: ${hint}`);
}

/** The target of this id, or the one that this host runs best. */
export function chooseTarget(project: Kraftproject, id: string | undefined): Target {
  return id === undefined ? bestTarget(project) : findTarget(project, id);
}

function bestTarget({ file, kraftfile }: Kraftproject): Target {
  const target = hostTarget(plannedTargets(kraftfile));
  if (target !== undefined) return target;
  throw new ProjectFault('KRAFTFILE_NO_TARGET', 'it names no target to run', {
    at: file,
    hint: 'Add one, such as: targets: [qemu/x86_64].',
  });
}

/**
 * The volumes of the Kraftfile. A source may be the name of a volume that was made by `nx-kraft volume create`, and one
 * without a source has its own name.
 */
export async function projectVolumes({ file, kraftfile, folder }: Kraftproject): Promise<readonly Volume[]> {
  const store = new VolumeStore();
  const volumes = kraftfile.volumes.map(async ({ name, source, destination, driver = '9pfs', readOnly }) => {
    const place = source ?? name ?? '';
    if (place === '') {
      throw new MachineFault('MACHINE_BAD_VOLUME', `the volume at ${destination} has no source`, { at: file });
    }
    const options = `${driver}${readOnly ? ',ro' : ''}`;
    // Its own name alone is never a folder.
    if (source === undefined)
      return parseVolume(`${(await store.inspect(place)).folder}:${destination}:${options}`, '');
    return (await store.parse([`${source}:${destination}:${options}`], folder))[0];
  });
  return (await Promise.all(volumes)).filter((volume) => volume !== undefined);
}
