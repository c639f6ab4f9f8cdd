import { hasCanonicalPlaces, surroundings } from '@nx-kraft/kernel/place';
import { describeToolchains } from '@nx-kraft/kernel/toolchain';
import type { ProgramVersions } from './program-versions.ts';

/**
 * What decides kernels beside their sources, by architecture: the tools that build them, and whether they hold paths of
 * this machine. Such a kernel is another one in each place, and must be taken from no cache that others fill.
 *
 * @param memory  what is known of this machine from before (default: nothing is)
 */
export async function describeKernelTools(
  workspaceRoot: string,
  architectures: readonly string[],
  memory?: ProgramVersions,
): Promise<ReadonlyMap<string, string>> {
  if (architectures.length === 0) return new Map();
  const [toolchains, paths] = await Promise.all([
    describeToolchains(architectures, memory?.ask),
    describePaths(workspaceRoot, memory),
  ]);
  return new Map([...toolchains].map(([architecture, tools]) => [architecture, `${tools}\npaths: ${paths}`]));
}

async function describePaths(workspaceRoot: string, memory?: ProgramVersions): Promise<string> {
  const find = async (): Promise<string> => ((await hasCanonicalPlaces()) ? 'canonical' : 'own');
  const paths = await (memory?.recall('paths', 'unshare', find, surroundings()) ?? find());
  if (paths === 'canonical') return paths;
  const { openStore } = await import('@nx-kraft/components');
  return `${workspaceRoot}, ${openStore().folder}`;
}
