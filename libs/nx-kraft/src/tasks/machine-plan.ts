import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { hasErrorCode } from '@nx-kraft/base';
import { type Kconfig, parseConfig } from '@nx-kraft/kernel';
import { type Kraftfile, type Target, outputNames, rootfsName } from '@nx-kraft/kraftfile';
import { type KernelRun, type Volume, initrdMount, parseVolume } from '@nx-kraft/machine';
import { hostTarget } from './host-target.ts';
import { type Kraftproject, ProjectFault, findTarget, plannedTargets } from './kraftproject.ts';
import { findCommand } from './run-defaults.ts';
import { readRuntime } from './runtime.ts';

/** What a run may choose beside what the Kraftfile says. */
export interface MachineOptions {
  /** The target's id; default: the one that this host runs best. */
  readonly target?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly kernelArgs?: readonly string[];
  readonly memory?: string;
  readonly cpus?: number;
  readonly ports?: readonly string[];
  /** Folders of the host in the guest, as `source:destination[:ro]`. */
  readonly volumes?: readonly string[];
  readonly accelerator?: 'auto' | 'kvm' | 'tcg';
}

/**
 * Plans the machine for a target that has been built: the Kraftfile's command and environment, and what the options
 * put over them.
 *
 * @throws ProjectFault when there is no such target, or when it has not been built
 */
export async function planMachine(project: Kraftproject, options: MachineOptions): Promise<KernelRun> {
  const { kraftfile, folder } = project;
  const target = options.target === undefined ? bestTarget(project) : findTarget(project, options.target);
  const names = outputNames(kraftfile, target);
  const config = await readConfig(project, target, join(folder, names.config));
  const command = await findCommand(folder, kraftfile, target.architecture);
  const given = (options.volumes ?? []).map((text) => parseVolume(text, folder));
  const isRuntime = kraftfile.unikraft === undefined && kraftfile.template === undefined;
  const runtimeArgs = isRuntime ? (await readRuntime(project, target)).cmd : [];
  const initrd = join(folder, rootfsName(kraftfile, target.architecture, kraftfile.rootfs?.format));
  // A runtime's own files are in its kernel or its initrd; those of the project are put over them.
  const hasInitrd = isRuntime
    ? kraftfile.rootfs !== undefined || existsSync(initrd)
    : kraftfile.rootfs !== undefined && !isEmbedded(config);
  return {
    name: kraftfile.name,
    kernel: join(folder, names.kernel),
    architecture: target.architecture as KernelRun['architecture'],
    platform: target.platform,
    ...(hasInitrd ? { initrd } : {}),
    ...(hasInitrd && needsMount(config) ? { mounts: [initrdMount] } : {}),
    args: options.args ?? kraftfile.cmd ?? (runtimeArgs.length > 0 ? runtimeArgs : (command.rootfsArgs ?? [])),
    env: withHostValues({ ...command.env, ...options.env }),
    kernelArgs: options.kernelArgs ?? [],
    memory: options.memory ?? '64Mi',
    cpus: options.cpus ?? 1,
    ports: options.ports ?? [],
    volumes: [...kraftfile.volumes.flatMap((volume) => asVolume(volume, folder)), ...given],
    accelerator: options.accelerator ?? 'auto',
  };
}

function bestTarget({ file, kraftfile }: Kraftproject): Target {
  const target = hostTarget(plannedTargets(kraftfile));
  if (target !== undefined) return target;
  throw new ProjectFault('KRAFTFILE_NO_TARGET', 'it names no target to run', {
    at: file,
    hint: 'Add one, such as: targets: [qemu/x86_64].',
  });
}

async function readConfig({ file }: Kraftproject, target: Target, path: string): Promise<Kconfig> {
  try {
    return parseConfig(await readFile(path, 'utf8'));
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
    throw new ProjectFault('KRAFTFILE_NOT_BUILT', `target ${target.id} has not been built`, {
      at: file,
      hint: `Build it first, with the task build:${target.id}.`,
    });
  }
}

/** Whether the root file system is part of the kernel. */
function isEmbedded(config: Kconfig): boolean {
  return ['ROOTFS_EINITRD', 'AUTOMOUNT_EINITRD', 'AUTOMOUNT_CI_EINITRD'].some(
    (option) => config[`CONFIG_LIBVFSCORE_${option}`] === 'y',
  );
}

/** Whether the kernel must be told to mount its initrd; others do it by themselves. */
function needsMount(config: Kconfig): boolean {
  return config.CONFIG_LIBVFSCORE_FSTAB === 'y' || config.CONFIG_LIBVFSCORE_AUTOMOUNT_UP === 'y';
}

/** A volume of the Kraftfile; one without a source is made by those who have named volumes. */
function asVolume({ source, destination, driver, readOnly }: Kraftfile['volumes'][number], folder: string): Volume[] {
  if (source === undefined) return [];
  const drivers: readonly Volume['driver'][] = ['9pfs', 'virtiofs', 'block', 'initrd'];
  const known = drivers.find((candidate) => candidate === driver) ?? '9pfs';
  return [{ source: resolve(folder, source), destination, driver: known, readOnly }];
}

/** In a Kraftfile's `env` an empty value stands for the host's. */
function withHostValues(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, value === '' ? (process.env[name] ?? '') : value]),
  );
}
