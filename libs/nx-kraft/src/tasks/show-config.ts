import { type Kconfig, configureKernel } from '@nx-kraft/kernel';
import type { ExecutorContext } from '@nx/devkit';
import { describeDropped } from './dropped-options.ts';
import { hostTarget } from './host-target.ts';
import { findTarget, loadKraftproject, plannedTargets, ProjectFault } from './kraftproject.ts';
import type { NetworkOptions } from './network.ts';
import { planKernel } from './plan-kernel.ts';
import { tell } from './task.ts';

export interface ConfigOptions extends NetworkOptions {
  /** The Kraftfile, relative to the workspace. */
  readonly kraftfile: string;
  /** The target's id; default: the host's best. */
  readonly for?: string | undefined;
  /** A target's id, a project, or `project:target`: only what differs from that is shown. */
  readonly compare?: string;
  /** Options that are not set, too. */
  readonly all?: boolean;
  readonly json?: boolean;
}

/** Has KConfig finish the configuration of a target and shows it, or its differences to another one. */
export async function showConfig(
  { root, projectsConfigurations: { projects } }: ExecutorContext,
  options: ConfigOptions,
  signal: AbortSignal,
): Promise<void> {
  const config = await finishConfig(root, { ...options, signal });
  if (options.compare === undefined) {
    const shown = Object.entries(config).filter(([, value]) => options.all === true || value !== 'n');
    tell(options.json === true ? JSON.stringify(Object.fromEntries(shown), null, 2) : shown.map(asLine).join('\n'));
    return;
  }
  const [name = '', target] = options.compare.split(':');
  const project = projects[name];
  const kraftfile = project === undefined ? options.kraftfile : kraftfileOf(project.targets ?? {}, name);
  const other = await finishConfig(root, {
    ...options,
    kraftfile,
    for: project === undefined ? name : target,
    signal,
  });
  const differing = [...new Set([...Object.keys(other), ...Object.keys(config)])]
    .toSorted()
    .filter((symbol) => (config[symbol] ?? 'n') !== (other[symbol] ?? 'n'));
  if (options.json === true) {
    const pairs = differing.map((symbol) => [symbol, { this: config[symbol], other: other[symbol] }]);
    tell(JSON.stringify(Object.fromEntries(pairs), null, 2));
    return;
  }
  for (const symbol of differing) {
    if (other[symbol] !== undefined) tell(`- ${asLine([symbol, other[symbol]])}`);
    if (config[symbol] !== undefined) tell(`+ ${asLine([symbol, config[symbol]])}`);
  }
  if (differing.length === 0) tell('The configurations are the same.');
}

async function finishConfig(
  root: string,
  { kraftfile, for: id, signal, ...network }: ConfigOptions & { readonly signal: AbortSignal },
): Promise<Kconfig> {
  const project = await loadKraftproject(root, kraftfile);
  const target = findTarget(project, id ?? hostTarget(plannedTargets(project.kraftfile))?.id ?? '');
  const { plan, downloads } = await planKernel(root, project, target, network, signal, 'config');
  const { config, dropped } = await configureKernel(plan, { signal, downloads });
  for (const option of dropped) process.stderr.write(`warning: ${describeDropped(project, target, option)}\n`);
  return config;
}

/** @throws ProjectFault KRAFTFILE_NOT_BUILT for a project that has no kernels */
function kraftfileOf(targets: Readonly<Record<string, { readonly options?: unknown }>>, name: string): string {
  for (const { options } of Object.values(targets)) {
    const { kraftfile } = (options ?? {}) as { readonly kraftfile?: unknown };
    if (typeof kraftfile === 'string') return kraftfile;
  }
  throw new ProjectFault('KRAFTFILE_NOT_BUILT', 'this project has no Kraftfile', {
    at: name,
    hint: 'Give a target of this project, or a project with a Kraftfile.',
  });
}

/** As in `.config`. */
function asLine([symbol, value]: readonly [string, string]): string {
  if (value === 'n') return `# ${symbol} is not set`;
  return `${symbol}=${/^(y|m|-?\d+|0x[\da-f]+)$/i.test(value) ? value : JSON.stringify(value)}`;
}
