import { enableCompileCache } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  CreateDependenciesContext,
  CreateNodesContext,
  CreateNodesResultArray,
  PostTasksExecutionContext,
  PreTasksExecutionContext,
  RawProjectGraphDependency,
} from '@nx/devkit';
import { changedExecutors } from './inference/target-defaults.ts';
import { type PluginOptions, taskNames } from './options.ts';
import { networkVariables } from './tasks/network.ts';
import { beganVariables, inferenceBegins, inferenceEnded } from './tasks/began.ts';
import { giveVariables, takeBackVariables } from './tasks/run-variables.ts';
import { typedInputs } from './tasks/typed-inputs.ts';
import { unknownTargets } from './tasks/unknown-targets.ts';

export { type PluginOptions } from './options.ts';

export const name = 'nx-kraft';

// Nx starts the plugin in a new process for each command without its daemon, and with it for each that runs tasks: so each
// function loads only what it needs.
enableCompileCache();

/** Makes a project of every Kraftfile: one for each folder, of the file that kraft would take there. */
export const createNodes = [
  '**/{Kraftfile,Kraftfile.yaml,Kraftfile.yml,kraft.yaml,kraft.yml}',
  async (
    kraftfiles: readonly string[],
    options: PluginOptions | undefined,
    context: CreateNodesContext,
  ): Promise<CreateNodesResultArray> => {
    inferenceBegins();
    const { createProjects } = await import('./inference/create-projects.ts');
    return createProjects(kraftfiles, options, context);
  },
] as const;

/** The name that Nx before version 24 looks for. */
export const createNodesV2 = createNodes;

/** Components, images and other projects as dependencies, for `nx graph` and `nx affected`. */
export async function createDependencies(
  _options: PluginOptions | undefined,
  context: CreateDependenciesContext,
): Promise<RawProjectGraphDependency[]> {
  inferenceEnded();
  const { kraftDependencies } = await import('./inference/dependencies.ts');
  return kraftDependencies(context);
}

/**
 * Takes `--offline` and `--frozen` to all tasks, puts where Nx sees it what belongs into the cache keys, and a guard before
 * the remote cache.
 */
export async function preTasksExecution(
  options: PluginOptions | undefined,
  { workspaceRoot, nxJsonConfiguration, id, argv }: PreTasksExecutionContext,
): Promise<void> {
  const changed = changedExecutors(nxJsonConfiguration, taskNames(options));
  if (changed.length > 0) {
    process.stderr.write(
      `warning: targetDefaults in nx.json replace inputs and dependencies of ${changed.join(', ')}; ` +
        'nx g nx-kraft:init keeps them as they must be\n',
    );
  }
  // Nx's daemon puts another object there for each run, and commands may run at once.
  const { env } = process;
  takeBackVariables(env);
  const before = { ...env };
  const variables = { ...beganVariables(), ...networkVariables(argv), ...typedInputs(argv) };
  const { renewGraph } = await import('./tasks/renew-graph.ts');
  Object.assign(variables, await renewGraph(workspaceRoot, nxJsonConfiguration));
  const { prepareInputs } = await import('./tasks/prepare-inputs.ts');
  Object.assign(variables, await prepareInputs(workspaceRoot));
  if (before.NX_SELF_HOSTED_REMOTE_CACHE_SERVER) {
    const { openGuard } = await import('./remote-cache/run-guard.ts');
    Object.assign(variables, await openGuard(workspaceRoot, id, before));
  }
  giveVariables(env, variables);
}

/**
 * Makes again what Nx took from a cache and was damaged there, and tells what trouble there was with the remote cache, and of
 * targets that there are not.
 */
export async function postTasksExecution(
  options: PluginOptions | undefined,
  context: PostTasksExecutionContext,
): Promise<void> {
  let told = false;
  const tell = (line: string): void => {
    told = true;
    process.stderr.write(`${line}\n`);
  };
  for (const line of unknownTargets(context, taskNames(options))) tell(line);
  try {
    const { mendRestored } = await import('./local-cache/restored.ts');
    await mendRestored(context, tell);
  } finally {
    const { closeGuard } = await import('./remote-cache/run-guard.ts');
    for (const trouble of await closeGuard(context.workspaceRoot, context.id))
      tell(`warning: the remote cache: ${trouble}`);
    // Nx passes on what its plugins' processes write, but does not wait for it before it ends.
    if (told) await sleep(100);
  }
}
