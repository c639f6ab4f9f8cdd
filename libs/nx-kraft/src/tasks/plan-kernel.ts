import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  describeOtherCompiler,
  findOtherCompilers,
  type Kconfig,
  type KernelPlan,
  librarySymbols,
  mergeKconfig,
  type OtherCompilerName,
  surveySources,
  targetSymbols,
} from '@nx-kraft/kernel';
import type { Kraftfile, Target } from '@nx-kraft/kraftfile';
import { embedsRootfs } from '@nx-kraft/kraftfile/fingerprints';
import { isKraftfileName } from '@nx-kraft/kraftfile/names';
import { imageName, outputNames, rootfsName } from '@nx-kraft/kraftfile/outputs';
import { apartFolders, isNeverCompiled } from '../inference/not-compiled.ts';
import { toolchainVariable } from './files.ts';
import { describeKernelTools } from './kernel-tools.ts';
import type { Kraftproject } from './kraftproject.ts';
import type { NetworkOptions } from './network.ts';
import { type KernelSources, fetchSources } from './sources.ts';

/** What decides a kernel, and how its make gets what libraries fetch themselves. */
export interface PlannedKernel extends Pick<KernelSources, 'components' | 'downloads'> {
  readonly plan: KernelPlan;
}

/**
 * Plans the kernel of one target, and fetches its sources.
 *
 * @param use  a name for the folder of its objects, which builds and questions about the configuration do not share
 * @throws ProjectFault, ComponentFault
 */
export async function planKernel(
  workspaceRoot: string,
  project: Kraftproject,
  target: Target,
  network: NetworkOptions,
  signal: AbortSignal,
  use: 'work' | 'config' = 'work',
): Promise<PlannedKernel> {
  const { kraftfile, downloads, components, ...sources } = await fetchSources(workspaceRoot, project, network, signal);
  const { rootfs, roms } = project.kraftfile;
  const apart = [
    ...apartFolders({
      filesystems: [...(rootfs === undefined ? [] : [rootfs]), ...roms],
      image: imageName(project.kraftfile),
    }),
    ...(await readdir(sources.application)).filter((name) => isKraftfileName(name) || isNeverCompiled(name)),
  ];
  const merged = kraftfile.targets.find(({ id }) => id === target.id) ?? target;
  const names = outputNames(project.kraftfile, target);
  const output = (name: string): string => join(project.folder, name);
  const kconfig = mergeKconfig(await librarySymbols(sources.libraries), kernelConfig(kraftfile, merged));
  const plan: KernelPlan = {
    architecture: target.architecture,
    platform: target.platform,
    ...sources,
    apart,
    kconfig,
    toolchain: await toolchainOf(workspaceRoot, target.architecture, otherCompilers({ ...sources, apart }, kconfig)),
    ...(project.kraftfile.rootfs !== undefined && embedsRootfs(project.kraftfile, target)
      ? { embeddedRootfs: output(rootfsName(project.kraftfile, target.architecture)) }
      : {}),
    workFolder: output(join('.unikraft', use, target.id)),
    output: {
      kernel: output(names.kernel),
      debugKernel: output(names.kernelDebug),
      config: output(names.config),
      map: output(names.map),
      sizes: output(names.sizes),
    },
  };
  return { plan, downloads, components };
}

/** The compilers beside GCC that the sources of a kernel and its configuration may bring in. */
function otherCompilers(
  { application, apart, libraries }: Pick<KernelPlan, 'application' | 'apart' | 'libraries'>,
  kconfig: Kconfig,
): readonly OtherCompilerName[] {
  const surveys = [surveySources(application, apart), ...libraries.map(({ folder }) => surveySources(folder))];
  const words = [...Object.keys(kconfig), ...libraries.map(({ name }) => name)];
  const found = [...surveys.flatMap(({ compilers }) => compilers), ...findOtherCompilers(words)];
  return [...new Set(found)].toSorted();
}

/** The tools' versions: the plugin has asked for them before the tasks started, unless this runs in another way. */
async function toolchainOf(
  workspaceRoot: string,
  architecture: string,
  others: readonly OtherCompilerName[],
): Promise<string> {
  const known = process.env[toolchainVariable(architecture)];
  const more = others.map(
    async (name) =>
      process.env[toolchainVariable(architecture, name)] ?? (await describeOtherCompiler(name, architecture)),
  );
  const own = known ?? (await describeKernelTools(workspaceRoot, [architecture])).get(architecture) ?? '';
  return [own, ...(await Promise.all(more)).filter((text) => text !== '')].join('\n');
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
