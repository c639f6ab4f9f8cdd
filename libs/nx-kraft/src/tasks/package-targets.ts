import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Kconfig, parseConfig } from '@nx-kraft/kernel';
import { type Target, imageName, outputNames, rootfsName } from '@nx-kraft/kraftfile';
import { type Compression, type PackageTarget, packageImage } from '@nx-kraft/oci';
import { type Kraftproject, findTarget, loadKraftproject, plannedTargets } from './kraftproject.ts';
import type { NetworkOptions } from './network.ts';
import { findCommand } from './run-defaults.ts';
import { findPackedRuntime } from './runtime.ts';
import { sourceDateEpoch, tell } from './task.ts';
import { pluginVersion } from './version.ts';

export interface PackageOptions extends NetworkOptions {
  /** The Kraftfile, relative to the workspace. */
  readonly kraftfile: string;
  /** The image's name; default: the Kraftfile's. */
  readonly name?: string;
  /** Ids of the targets; default: all. */
  readonly targets?: readonly string[];
  readonly kconfig?: boolean;
  readonly debugKernel?: boolean;
  readonly compression?: Compression;
}

/** Packs what has been built for a Kraftfile's targets into one OCI image layout. */
export async function packageTargets(workspaceRoot: string, options: PackageOptions): Promise<void> {
  const project = await loadKraftproject(workspaceRoot, options.kraftfile);
  const { kraftfile, folder } = project;
  const targets = options.targets?.map((id) => findTarget(project, id)) ?? plannedTargets(kraftfile);
  const plan = {
    reference: options.name ?? defaultName(kraftfile.name),
    targets: await Promise.all(targets.map((target) => planTarget(project, target, options))),
    created: sourceDateEpoch(),
    toolVersion: `nx-kraft-${pluginVersion}`,
    ...(options.compression === undefined ? {} : { compression: options.compression }),
  };
  const image = await packageImage(plan, join(folder, imageName(kraftfile)));
  tell(`${image.reference}@${image.digest}`);
  for (const { platform, size } of image.manifests) tell(`  ${platform.os}/${platform.architecture}  ${size} bytes`);
}

async function planTarget(project: Kraftproject, target: Target, options: PackageOptions): Promise<PackageTarget> {
  const { kraftfile, folder } = project;
  const names = outputNames(kraftfile, target);
  const { rootfs, cmd, unikraft, template } = kraftfile;
  const { rootfsArgs, env } = await findCommand(folder, kraftfile, target.architecture);
  const isRuntime = unikraft === undefined && template === undefined;
  const runtime = isRuntime ? await findPackedRuntime(project, target, options) : undefined;
  return {
    architecture: target.architecture,
    platform: target.platform,
    ...(runtime === undefined ? await planKernel(project, target, options) : { kernel: runtime }),
    ...(rootfs === undefined
      ? {}
      : { initrd: join(folder, rootfsName(kraftfile, target.architecture, rootfs.format)) }),
    ...(options.debugKernel === true && !isRuntime ? { debugKernel: join(folder, names.kernelDebug) } : {}),
    ...(cmd === undefined ? {} : { command: cmd }),
    ...(rootfsArgs === undefined ? {} : { rootfsCommand: rootfsArgs }),
    environment: env,
    labels: kraftfile.labels,
  };
}

async function planKernel(
  { kraftfile, folder }: Kraftproject,
  target: Target,
  options: PackageOptions,
): Promise<Pick<PackageTarget, 'kernel' | 'version' | 'kconfig'>> {
  const names = outputNames(kraftfile, target);
  const config: Kconfig = parseConfig(await readFile(join(folder, names.config), 'utf8'));
  const version = config.CONFIG_UK_FULLVERSION;
  return {
    kernel: join(folder, names.kernel),
    ...(version === undefined ? {} : { version }),
    ...(options.kconfig === false ? {} : { kconfig: config }),
  };
}

/** Names of images are of small letters, digits and a few signs. */
function defaultName(name: string): string {
  const allowed = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
  return `unikraft.org/${allowed || 'unikernel'}:latest`;
}
