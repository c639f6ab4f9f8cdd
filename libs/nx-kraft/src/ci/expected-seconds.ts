import type { ProjectGraph, TargetConfiguration } from '@nx/devkit';
import { buildersVariable } from '../inference/variables.ts';
import type { TaskName } from './plan.ts';

/** How long tasks take on a usual machine, in seconds, for those that have not run here yet. */
const usual: Readonly<Record<string, number>> = {
  'nx:noop': 0,
  'nx-kraft:build': 90,
  'nx-kraft:rootfs': 10,
  'nx-kraft:package': 5,
  'nx-kraft:test': 20,
  'nx-kraft:lint': 2,
};

/** A Dockerfile whose commands a builder runs. */
const withBuilder = 120;

/** A kernel that comes from a runtime's image. */
const fromRuntime = 10;

const anyOther = 30;

/**
 * How long a task will probably take when it is not in the cache: as long as it did here on average, by Nx's own history,
 * else as such tasks usually do.
 *
 * @param history  the id of a task → milliseconds
 */
export function expectedSeconds(
  id: string,
  { project, target }: TaskName,
  graph: Pick<ProjectGraph, 'nodes'>,
  history: Readonly<Record<string, number>>,
): number {
  const known = history[id];
  if (known !== undefined && known > 0) return known / 1000;
  const configuration = graph.nodes[project]?.data.targets?.[target];
  const executor = configuration?.executor ?? '';
  const variables = environmentOf(configuration);
  if (executor === 'nx-kraft:rootfs' && variables.includes(buildersVariable)) return withBuilder;
  if (executor === 'nx-kraft:build' && !variables.some((name) => name.startsWith('NX_KRAFT_TOOLCHAIN_')))
    return fromRuntime;
  return usual[executor] ?? anyOther;
}

function environmentOf(configuration: TargetConfiguration | undefined): readonly string[] {
  return (configuration?.inputs ?? []).flatMap((input) =>
    typeof input === 'object' && 'env' in input && typeof input.env === 'string' ? [input.env] : [],
  );
}
