import { join } from 'node:path';
import {
  type DroppedOption,
  type Kconfig,
  buildKernel,
  describeToolchains,
  mergeKconfig,
  targetSymbols,
} from '@nx-kraft/kernel';
import {
  type Kraftfile,
  type ModelPath,
  type Target,
  embedsRootfs,
  outputNames,
  rootfsName,
} from '@nx-kraft/kraftfile';
import { toolchainVariable } from './files.ts';
import { type Kraftproject, findTarget, loadKraftproject } from './kraftproject.ts';
import type { NetworkOptions } from './network.ts';
import { stepReporter } from './progress.ts';
import { takeRuntime } from './runtime.ts';
import { fetchSources } from './sources.ts';
import { sourceDateEpoch, tell } from './task.ts';

export interface BuildOptions extends NetworkOptions {
  /** The Kraftfile, relative to the workspace. */
  readonly kraftfile: string;
  /** The target's id. */
  readonly target: string;
  /** Parallel jobs of make. */
  readonly jobs?: number;
}

/**
 * Builds the kernel of one target from source and tells which options of the Kraftfile did not stick, or takes the
 * kernel of the runtime.
 */
export async function buildTarget(workspaceRoot: string, options: BuildOptions, signal: AbortSignal): Promise<void> {
  const project = await loadKraftproject(workspaceRoot, options.kraftfile);
  const target = findTarget(project, options.target);
  const { unikraft, template, runtime } = project.kraftfile;
  if (unikraft === undefined && template === undefined && runtime !== undefined) {
    return takeRuntime(workspaceRoot, project, target, options);
  }
  const { kraftfile, downloads, ...sources } = await fetchSources(workspaceRoot, project, options, signal);
  const merged = kraftfile.targets.find(({ id }) => id === target.id) ?? target;
  const kconfig = kernelConfig(kraftfile, merged);
  const names = outputNames(project.kraftfile, target);
  const progress = stepReporter(process.stdout);
  const built = await buildKernel(
    {
      architecture: target.architecture,
      platform: target.platform,
      ...sources,
      kconfig,
      toolchain: await toolchainOf(target.architecture),
      ...(project.kraftfile.rootfs !== undefined && embedsRootfs(project.kraftfile, target)
        ? { embeddedRootfs: join(project.folder, rootfsName(project.kraftfile, target.architecture)) }
        : {}),
      workFolder: join(project.folder, '.unikraft', 'work', target.id),
      output: {
        kernel: join(project.folder, names.kernel),
        debugKernel: join(project.folder, names.kernelDebug),
        config: join(project.folder, names.config),
      },
    },
    {
      signal,
      sourceDateEpoch: sourceDateEpoch(),
      onStep: progress.onStep,
      downloads,
      ...(options.jobs && { jobs: options.jobs }),
    },
  ).finally(progress.end);

  for (const dropped of built.dropped) tell(describeDropped(project, target, dropped));
  if (!built.canonical) {
    tell('note: this system allows no mount namespaces, so the kernel holds paths of this machine');
  }
  tell(`${names.kernel}${built.shared ? ', from objects that another build had compiled' : ''}`);
}

/** The tools' versions: the plugin has asked for them before the tasks started, unless this runs in another way. */
async function toolchainOf(architecture: string): Promise<string> {
  const known = process.env[toolchainVariable(architecture)];
  return known ?? (await describeToolchains([architecture])).get(architecture) ?? '';
}

/**
 * The configuration of a target: the template's, the core's, the libraries' and the project's own values, what the
 * target's architecture and platform stand for, and the target's values; later ones win.
 */
function kernelConfig(kraftfile: Kraftfile, target: Target): Kconfig {
  return mergeKconfig(
    kraftfile.template?.kconfig ?? {},
    kraftfile.unikraft?.kconfig ?? {},
    // By name, since the order of libraries in the file is no part of the task's key.
    ...kraftfile.libraries.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map((library) => library.kconfig),
    kraftfile.kconfig,
    targetSymbols(target.architecture, target.platform),
    target.kconfig,
  );
}

/** One line for an option that did not stick, at its place in the Kraftfile. */
function describeDropped(project: Kraftproject, target: Target, { symbol, asked, got }: DroppedOption): string {
  const { line, column } = project.positionOf([...findOption(project.kraftfile, target, symbol), symbol]);
  const outcome = got === undefined ? 'the configuration does not know it' : `it is ${got}`;
  return `warning: ${project.file}:${line}:${column}: ${symbol}=${asked} did not stick: ${outcome}`;
}

/** Where the Kraftfile sets an option, the place that wins first. */
function findOption(
  { targets, libraries, unikraft, template, kconfig }: Kraftfile,
  target: Target,
  symbol: string,
): ModelPath {
  const places: readonly (readonly [ModelPath, Kconfig | undefined])[] = [
    [['targets', targets.findIndex(({ id }) => id === target.id), 'kconfig'], target.kconfig],
    [['kconfig'], kconfig],
    ...libraries.map((library, index) => [['libraries', index, 'kconfig'], library.kconfig] as const).toReversed(),
    [['unikraft', 'kconfig'], unikraft?.kconfig],
    [['template', 'kconfig'], template?.kconfig],
  ];
  return places.find(([, values]) => values !== undefined && symbol in values)?.[0] ?? ['targets'];
}
