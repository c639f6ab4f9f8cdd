import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kconfig } from '@nx-kraft/kernel/kconfig';
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
  return planOnKernel(project, options, start, (target) => builtKernel(project, target));
}

/** A kernel that a project can boot on: its own, or that of an image. */
export interface ProjectKernel extends Pick<KernelRun, 'kernel'> {
  readonly config: Kconfig;
  /** What the image of a runtime runs; empty where there is none, or it says nothing. */
  readonly args: readonly string[];
  /** What the image of a runtime says of variables, under those of the project. */
  readonly env: Readonly<Record<string, string>>;
  /** What it boots with: the project's root file system, or a runtime's own; undefined where all files are in the kernel. */
  readonly initrd: string | undefined;
}

/**
 * Plans the machine for a project on a kernel: the Kraftfile's command and environment, and what the options put over them.
 *
 * @param start  what relative paths in the options are relative to
 * @param take  gives the kernel for the target, once the options are known to be right
 * @throws ProjectFault when there is no such target, or its root file system has not been made; MachineFault for options
 *   that cannot be
 */
export async function planOnKernel(
  project: Kraftproject,
  options: ProjectMachineOptions,
  start: string,
  take: (target: Target) => Promise<ProjectKernel>,
): Promise<KernelRun> {
  const { kraftfile } = project;
  const target = chooseTarget(project, options.for);
  // What an image leaves empty is empty, and none of the host's variables: no key of a test could know of them.
  const settings = await machineSettings(options, start, kraftfile.env);
  const { kernel, config, args, env, initrd } = await take(target);
  const command = await findCommand(project, target.architecture);
  if (initrd !== undefined) await tellOfMemory(initrd, settings.memory);
  return {
    name: kraftfile.name,
    kernel,
    architecture: target.architecture as KernelRun['architecture'],
    platform: target.platform,
    ...(initrd === undefined ? {} : initrdOf(initrd, config)),
    args: options.args ?? kraftfile.cmd ?? (args.length > 0 ? args : (command.rootfsArgs ?? [])),
    ...settings,
    env: { ...env, ...command.env, ...settings.env },
    volumes: [...(await projectVolumes(project)), ...settings.volumes],
  };
}

async function builtKernel(project: Kraftproject, target: Target): Promise<ProjectKernel> {
  const { kraftfile, folder } = project;
  const names = outputNames(kraftfile, target);
  const config = await readKernelConfig(project, target);
  const isRuntime = kraftfile.unikraft === undefined && kraftfile.template === undefined;
  const runtime = isRuntime ? await readRuntime(project, target) : undefined;
  const own = runtime?.hasInitrd === true ? join(folder, names.initrd) : undefined;
  // A runtime's own files are in its kernel or its initrd; those of the project are put over them.
  const initrd =
    runtime === undefined && isEmbedded(config) ? undefined : (projectInitrd(project, target.architecture) ?? own);
  return { kernel: join(folder, names.kernel), config, args: runtime?.cmd ?? [], env: {}, initrd };
}

/** Where a project's root file system is once it has been made; undefined where it has none. */
export function projectInitrd({ kraftfile, folder }: Kraftproject, architecture: string): string | undefined {
  const { rootfs } = kraftfile;
  return rootfs === undefined ? undefined : join(folder, rootfsName(kraftfile, architecture, rootfs.format));
}

/** A machine that its root file system does not fit into ends early, and seldom says why. */
async function tellOfMemory(initrd: string, memory: KernelRun['memory'] = defaultMemory): Promise<void> {
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
async function projectVolumes({ file, kraftfile, folder }: Kraftproject): Promise<readonly Volume[]> {
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
