import { readFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { basename, dirname, join, relative, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  CreateDependenciesContext,
  CreateNodesContext,
  CreateNodesResultArray,
  PostTasksExecutionContext,
  PreTasksExecutionContext,
  RawProjectGraphDependency,
} from '@nx/devkit';
import { isKraftfile, kraftfileNames } from '@nx-kraft/kraftfile/names';
import { usedComponents } from './inference/components.ts';
import { Disk } from './inference/disk.ts';
import { lookAround } from './inference/facts.ts';
import { affectsWholeProjects } from './inference/legacy-affected.ts';
import { localLibraries } from './inference/local-libraries.ts';
import { readLockSummary } from './inference/lock.ts';
import { withMemory } from './inference/memory.ts';
import { findNeighbours } from './inference/neighbours.ts';
import type { Summary } from './inference/summary.ts';
import { surveyWorkspace } from './inference/survey.ts';
import { changedExecutors, hasBuildDefaults } from './inference/target-defaults.ts';
import type { Input } from './inference/inputs.ts';
import { inferProject } from './inference/targets.ts';
import { rememberVariables, versionVariables } from './inference/variables.ts';
import { type PluginOptions, taskNames } from './options.ts';
import { networkVariables } from './tasks/network.ts';
import { packageFolder, pluginState, pluginVersion } from './tasks/version.ts';

export { type PluginOptions } from './options.ts';

export const name = 'nx-kraft';

// Each command of Nx without its daemon starts the plugin in a new process, which loads most of it only when needed.
enableCompileCache();

/** Makes a project of every Kraftfile: one for each folder, of the file that kraft would take there. */
export const createNodes = [
  '**/{Kraftfile,Kraftfile.yaml,Kraftfile.yml,kraft.yaml,kraft.yml}',
  createProjects,
] as const;

/** The name that Nx before version 24 looks for. */
export const createNodesV2 = createNodes;

async function createProjects(
  kraftfiles: readonly string[],
  options: PluginOptions | undefined,
  { workspaceRoot, nxJsonConfiguration }: CreateNodesContext,
): Promise<CreateNodesResultArray> {
  const state = pluginState();
  const names = taskNames(options);
  const disk = new Disk(workspaceRoot);
  return withMemory(workspaceRoot, async (recall) => {
    const found = new Map<string, { readonly file: string; readonly summary: Summary }>();
    for (const file of inOrderOfPrecedence(kraftfiles)) {
      const folder = dirname(file);
      if (found.has(folder)) continue;
      const text = readFileSync(join(workspaceRoot, file), 'utf8');
      if (!isKraftfile(text)) continue;
      const directoryName = basename(join(workspaceRoot, folder));
      const summary = await recall([state, file, directoryName, text], async () => {
        const { summarize } = await import('./inference/summary.ts');
        return summarize(text, file, directoryName);
      });
      found.set(folder, { file, summary });
    }
    const workspace = await surveyWorkspace(disk, found, names, recall);
    const summaryIn = (folder: string): Summary | undefined => found.get(folder)?.summary;
    const pluginInputs = ownSources(workspaceRoot);
    const lock = readLockSummary(workspaceRoot);
    const isAffectedWhole = affectsWholeProjects(workspaceRoot, nxJsonConfiguration);
    const files: Record<string, readonly string[]> = {};
    const versions = new Set<string>();
    const local: string[] = [];
    const componentsOf = (folder: string) => summaryIn(relative(workspaceRoot, folder) || '.')?.components;
    const results = await Promise.all(
      [...found].map(async ([folder, { file, summary }]) => {
        const components = usedComponents(summary.components, join(workspaceRoot, folder), { lock, componentsOf });
        const rootfs = { settings: workspace.settingsOf(folder), rootfsTask: names.rootfs };
        const facts = await lookAround(disk, file, summary, components, rootfs, recall, summaryIn);
        if (facts.rootfs.files.length > 0) files[folder] = facts.rootfs.files;
        for (const variable of versionVariables(summary, facts)) versions.add(variable);
        local.push(...facts.kernels.folders.map(({ path }) => path));
        const { project, externalNodes } = inferProject(
          {
            name: workspace.projectNames.get(folder) ?? summary.name,
            kraftfile: file,
            summary,
            facts,
            neighbours: findNeighbours(folder, summary, facts, workspace),
            lock,
            salt: pluginVersion,
            hasBuildDefaults: hasBuildDefaults(nxJsonConfiguration, names),
            isAffectedWhole,
            pluginInputs,
          },
          names,
        );
        return [file, { projects: { [folder]: project }, externalNodes: { ...externalNodes } }] as const;
      }),
    );
    rememberVariables(workspaceRoot, { files, versions: [...versions].toSorted() });
    const libraries = { projects: { ...localLibraries(workspaceRoot, local, found) } };
    return [...results, ...results.slice(0, 1).map(([file]) => [file, libraries] as const)];
  });
}

/** Components, images and other projects as dependencies, for `nx graph` and `nx affected`. */
export async function createDependencies(
  _options: PluginOptions | undefined,
  context: CreateDependenciesContext,
): Promise<RawProjectGraphDependency[]> {
  const { kraftDependencies } = await import('./inference/dependencies.ts');
  return kraftDependencies(context);
}

/** Sorted by folder; in each folder the file that kraft would take comes first. */
function inOrderOfPrecedence(files: readonly string[]): readonly string[] {
  const rank = (file: string): number => (kraftfileNames as readonly string[]).indexOf(basename(file));
  return files.toSorted((a, b) => compare(dirname(a), dirname(b)) || rank(a) - rank(b));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Where the plugin's sources lie in the workspace, as in its own repository, they are inputs of all tasks. */
function ownSources(workspaceRoot: string): readonly Input[] {
  const libs = relative(workspaceRoot, dirname(packageFolder)).split(sep).join('/');
  if (libs.startsWith('..') || libs.split('/').includes('node_modules')) return [];
  return [{ fileset: `{workspaceRoot}/${libs}/*/src/**/!(*.spec|*.e2e).{ts,sh}` }];
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
  Object.assign(process.env, networkVariables(argv));
  const { prepareInputs } = await import('./tasks/prepare-inputs.ts');
  Object.assign(process.env, await prepareInputs(workspaceRoot));
  if (!process.env.NX_SELF_HOSTED_REMOTE_CACHE_SERVER) return;
  const { openGuard } = await import('./remote-cache/run-guard.ts');
  Object.assign(process.env, await openGuard(workspaceRoot, id, process.env));
}

/** Tells what trouble there was with the remote cache. */
export async function postTasksExecution(
  _options: PluginOptions | undefined,
  { workspaceRoot, id }: PostTasksExecutionContext,
): Promise<void> {
  const { closeGuard } = await import('./remote-cache/run-guard.ts');
  const troubles = await closeGuard(workspaceRoot, id);
  for (const trouble of troubles) process.stderr.write(`warning: the remote cache: ${trouble}\n`);
  // Nx passes on what its plugins' processes write, but does not wait for it before it ends.
  if (troubles.length > 0) await sleep(100);
}
