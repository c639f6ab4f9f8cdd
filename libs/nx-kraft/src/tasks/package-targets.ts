import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Target } from '@nx-kraft/kraftfile';
import { archiveName, imageName, outputNames, rootfsName } from '@nx-kraft/kraftfile/outputs';
import {
  type Compression,
  Layout,
  type PackageTarget,
  type PackagedImage,
  archiveLayout,
  attach,
  packageImage,
  sbomAttachment,
} from '@nx-kraft/oci';
import { readKernelConfig } from './built-kernel.ts';
import { type Kraftproject, ProjectFault, findTarget, loadKraftproject, plannedTargets } from './kraftproject.ts';
import { listComponents } from './list-components.ts';
import { findCommand } from './run-defaults.ts';
import { type RuntimeOptions, findPackedRuntime } from './runtime.ts';
import { sourceDateEpoch, tell } from './task.ts';
import { pluginVersion } from './version.ts';

export interface PackageOptions extends RuntimeOptions {
  /** The Kraftfile, relative to the workspace. */
  readonly kraftfile: string;
  /** The image's name; default: the Kraftfile's. */
  readonly name?: string;
  /** More tags, beside that of the name. */
  readonly tags?: readonly string[];
  /** Ids of the targets; default: all. */
  readonly targets?: readonly string[];
  readonly kconfig?: boolean;
  readonly debugKernel?: boolean;
  readonly compression?: Compression;
  /** Adds containers that urunc runs. */
  readonly urunc?: boolean;
  /** Writes one `.oci.tar` as well. */
  readonly archive?: boolean;
  /** Attaches a list of all components. */
  readonly sbom?: boolean;
  /** The application's arguments, instead of the Kraftfile's. */
  readonly args?: readonly string[];
  /** `NAME=VALUE`, beside the Kraftfile's and before them. */
  readonly env?: readonly string[];
  readonly labels?: readonly string[];
}

/** Packs what has been built for a Kraftfile's targets into one OCI image layout. */
export async function packageTargets(workspaceRoot: string, options: PackageOptions): Promise<void> {
  const project = await loadKraftproject(workspaceRoot, options.kraftfile);
  const { kraftfile, folder } = project;
  const targets = options.targets?.map((id) => findTarget(project, id)) ?? plannedTargets(kraftfile);
  const plan = {
    reference: options.name ?? defaultName(kraftfile.name),
    targets: await Promise.all(targets.map((target) => planTarget(workspaceRoot, project, target, options))),
    created: sourceDateEpoch(),
    toolVersion: `nx-kraft-${pluginVersion}`,
    ...(options.tags === undefined ? {} : { tags: options.tags }),
    ...(options.compression === undefined ? {} : { compression: options.compression }),
    ...(options.urunc === undefined ? {} : { urunc: options.urunc }),
  };
  const output = join(folder, imageName(kraftfile));
  const image = await packageImage(plan, output);
  if (options.sbom === true) await attachComponents(project, output, image);
  const archive = join(folder, archiveName(kraftfile));
  // One of an earlier run would be another image's.
  await (options.archive === true ? archiveLayout(output, archive) : rm(archive, { force: true }));
  tell(`${image.reference}@${image.digest}`);
  for (const { platform, size } of image.manifests) tell(`  ${platform.os}/${platform.architecture}  ${size} bytes`);
}

async function planTarget(
  workspaceRoot: string,
  project: Kraftproject,
  target: Target,
  options: PackageOptions,
): Promise<PackageTarget> {
  const { kraftfile, folder } = project;
  const names = outputNames(kraftfile, target);
  const { rootfs, cmd, unikraft, template } = kraftfile;
  const { rootfsArgs, env } = await findCommand(project, target.architecture);
  const command = options.args ?? cmd;
  const isRuntime = unikraft === undefined && template === undefined;
  const runtime = isRuntime ? await findPackedRuntime(workspaceRoot, project, target, options) : undefined;
  return {
    architecture: target.architecture,
    platform: target.platform,
    ...(runtime === undefined ? await planKernel(project, target, options) : { kernel: runtime }),
    ...(rootfs === undefined
      ? {}
      : { initrd: join(folder, rootfsName(kraftfile, target.architecture, rootfs.format)) }),
    ...(options.debugKernel === true && !isRuntime ? { debugKernel: join(folder, names.kernelDebug) } : {}),
    ...(command === undefined ? {} : { command }),
    ...(rootfsArgs === undefined ? {} : { rootfsCommand: rootfsArgs }),
    environment: { ...env, ...pairsOf('env', options.env) },
    labels: { ...kraftfile.labels, ...pairsOf('labels', options.labels) },
  };
}

async function planKernel(
  project: Kraftproject,
  target: Target,
  options: PackageOptions,
): Promise<Pick<PackageTarget, 'kernel' | 'version' | 'kconfig'>> {
  const config = await readKernelConfig(project, target);
  const version = config.CONFIG_UK_FULLVERSION;
  return {
    kernel: join(project.folder, outputNames(project.kraftfile, target).kernel),
    ...(version === undefined ? {} : { version }),
    ...(options.kconfig === false ? {} : { kconfig: config }),
  };
}

/** Attaches what the image is made of to what was packed. */
async function attachComponents(project: Kraftproject, output: string, image: PackagedImage): Promise<void> {
  const layout = await Layout.open(output);
  const subject = (await layout.roots()).find(({ digest }) => digest === image.digest);
  if (subject === undefined) throw new Error(`${output} has lost its image`);
  const components = await listComponents(project);
  const plan = { name: image.reference.replace(/:[^:/]*$/, ''), version: image.digest, components };
  await attach(layout, subject, sbomAttachment({ ...plan, toolVersion: pluginVersion, created: sourceDateEpoch() }));
  tell(`list of ${components.length} components attached`);
}

/** @throws ProjectFault OPTION_INVALID for one without a value: the host's would be no part of the cache's key */
function pairsOf(option: string, items: readonly string[] = []): Readonly<Record<string, string>> {
  return Object.fromEntries(
    items.map((item) => {
      const equals = item.indexOf('=');
      if (equals > 0) return [item.slice(0, equals), item.slice(equals + 1)];
      throw new ProjectFault('OPTION_INVALID', `${option} has '${item}', which is no NAME=VALUE`, {
        hint: 'A value out of the environment stands in the Kraftfile: env has NAME alone there.',
      });
    }),
  );
}

/** Names of images are of small letters, digits and a few signs. */
function defaultName(name: string): string {
  const allowed = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
  return `unikraft.org/${allowed || 'unikernel'}:latest`;
}
