import { hasCanonicalPlaces } from '@nx-kraft/kernel/place';
import { describeToolchains } from '@nx-kraft/kernel/toolchain';

/**
 * What decides kernels beside their sources, by architecture: the tools that build them, and whether they hold paths of
 * this machine. Such a kernel is another one in each place, and must be taken from no cache that others fill.
 *
 * @param ask  gives a program's version (default: the program does)
 */
export async function describeKernelTools(
  workspaceRoot: string,
  architectures: readonly string[],
  ask?: (program: string) => Promise<string>,
): Promise<ReadonlyMap<string, string>> {
  if (architectures.length === 0) return new Map();
  const [toolchains, paths] = await Promise.all([describeToolchains(architectures, ask), describePaths(workspaceRoot)]);
  return new Map([...toolchains].map(([architecture, tools]) => [architecture, `${tools}\npaths: ${paths}`]));
}

async function describePaths(workspaceRoot: string): Promise<string> {
  if (await hasCanonicalPlaces()) return 'canonical';
  const { openStore } = await import('@nx-kraft/components');
  return `${workspaceRoot}, ${openStore().folder}`;
}
