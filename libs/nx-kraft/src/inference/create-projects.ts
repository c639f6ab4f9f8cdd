import { readFileSync } from 'node:fs';
import { basename, dirname, join, posix, relative, sep } from 'node:path';
import type { CreateNodesContext, CreateNodesResultArray } from '@nx/devkit';
import { leadsNowhere, refusalOf } from '@nx-kraft/base';
import { isKraftfile, kraftfileNames } from '@nx-kraft/kraftfile/names';
import { type PluginOptions, taskNames } from '../options.ts';
import { isOnDaemon } from '../tasks/began.ts';
import { fileDetailsName, volumeDetailsName } from '../tasks/files.ts';
import { packageFolder, pluginState, pluginVersion } from '../tasks/version.ts';
import { bootedTargets } from './booted-targets.ts';
import { type ComponentSources, usedComponents } from './components.ts';
import { Disk } from './disk.ts';
import { ExternalNodes } from './external-nodes.ts';
import { type Facts, lookAround } from './facts.ts';
import type { Input } from './inputs.ts';
import type { Seen } from './looked.ts';
import { affectsWholeProjects } from './legacy-affected.ts';
import { localLibraries } from './local-libraries.ts';
import { readLockSummary } from './lock.ts';
import { mentionedVariables } from './mentioned-variables.ts';
import { type Recall, withMemory } from './memory.ts';
import { findNeighbours, type Neighbours } from './neighbours.ts';
import type { Summary } from './summary.ts';
import { surveyWorkspace } from './survey.ts';
import { hasBuildDefaults, targetDefaults } from './target-defaults.ts';
import { inferProject } from './targets.ts';
import { type Outlines, outlinesOf, rememberServed } from './served-graph.ts';
import { type NeededVariables, rememberVariables, versionVariables } from './variables.ts';

/** The projects of a workspace's Kraftfiles: one for each folder, of the file that kraft would take there. */
export async function createProjects(
  kraftfiles: readonly string[],
  options: PluginOptions | undefined,
  context: CreateNodesContext,
): Promise<CreateNodesResultArray> {
  const inferred = await inferProjects(kraftfiles, options, context);
  keepInferred(context.workspaceRoot, kraftfiles, options, inferred, isOnDaemon());
  return inferred.projects;
}

/** What is inferred, without a word to later commands. */
export interface Inferred {
  readonly projects: CreateNodesResultArray;
  readonly needed: NeededVariables;
  readonly outlines: () => Outlines;
  /** From what on the disk. */
  readonly seen: () => Seen;
}

/**
 * Keeps for later commands what was inferred.
 *
 * @param isServed  whether it is what Nx's daemon has
 */
export function keepInferred(
  workspaceRoot: string,
  kraftfiles: readonly string[],
  options: PluginOptions | undefined,
  { needed, outlines, seen }: Inferred,
  isServed: boolean,
): void {
  rememberVariables(workspaceRoot, kraftfiles, needed);
  if (isServed) rememberServed(workspaceRoot, kraftfiles, { options, ...outlines(), seen: seen() });
}

/** What the projects of Kraftfiles are now. */
export async function inferProjects(
  kraftfiles: readonly string[],
  options: PluginOptions | undefined,
  { workspaceRoot, nxJsonConfiguration }: Pick<CreateNodesContext, 'workspaceRoot' | 'nxJsonConfiguration'>,
): Promise<Inferred> {
  const state = pluginState();
  const names = taskNames(options);
  const disk = new Disk(workspaceRoot);
  return withMemory(workspaceRoot, async (recallAnything) => {
    // What another version of the plugin has found out is no answer to what this one asks.
    const recall: Recall = (ingredients, make) => recallAnything([state, ...ingredients], make);
    const found = new Map<string, { readonly file: string; readonly summary: Summary }>();
    for (const file of inOrderOfPrecedence(kraftfiles)) {
      const folder = dirname(file);
      if (found.has(folder)) continue;
      const summary = await readSummary(file, workspaceRoot, recall);
      if (summary !== undefined) found.set(folder, { file, summary });
    }
    const defaults = onceForEach((task) => targetDefaults(nxJsonConfiguration, names, task));
    const workspace = await surveyWorkspace(disk, found, names, recall, defaults);
    const summaryIn = (folder: string): Summary | undefined => found.get(folder)?.summary;
    const pluginInputs = ownSources(workspaceRoot);
    const lock = readLockSummary(workspaceRoot);
    const nodes = new ExternalNodes(lock);
    const withBuildDefaults = hasBuildDefaults(nxJsonConfiguration, names);
    const isAffectedWhole = affectsWholeProjects(workspaceRoot, nxJsonConfiguration);
    const files: Record<string, readonly string[]> = {};
    const linked: string[] = [];
    const late: string[] = [];
    const versions = new Set<string>();
    const local: string[] = [];
    const outlines = new Map<string, { readonly whole: unknown; readonly tasks: unknown }>();
    const sources: ComponentSources = {
      lock,
      componentsOf: (path) => summaryIn(relative(disk.workspaceRoot, path) || '.')?.components,
      realPath: (path) => disk.realPath(path),
    };
    const results = await Promise.all(
      [...found].map(async ([folder, { file, summary }]) => {
        const components = usedComponents(summary.components, join(disk.workspaceRoot, folder), sources);
        const settings = workspace.settingsOf(folder);
        const rootfs = { settings, rootfsTask: names.rootfs };
        const facts = await lookAround(disk, file, summary, components, rootfs, recall, summaryIn);
        if (facts.rootfs.files.length > 0) files[posix.join(folder, fileDetailsName)] = facts.rootfs.files;
        if (facts.rootfs.isLinked) linked.push(posix.join(folder, fileDetailsName));
        if (facts.rootfs.isMade) late.push(posix.join(folder, fileDetailsName));
        if (facts.volumes.isMade) late.push(posix.join(folder, volumeDetailsName));
        if (facts.volumes.files.length > 0) files[posix.join(folder, volumeDetailsName)] = facts.volumes.files;
        const tested = bootedTargets(summary, settings, names.test);
        for (const variable of versionVariables(summary, facts, tested)) versions.add(variable);
        local.push(...facts.kernels.folders.map(({ path }) => path));
        const neighbours = findNeighbours(folder, summary, facts, workspace);
        const tasks = planOf(facts, neighbours);
        outlines.set(folder, { whole: [folder, facts, tasks], tasks });
        const { project, externalNodes } = inferProject(
          {
            name: workspace.projectNames.get(folder) ?? summary.name,
            kraftfile: file,
            summary,
            facts,
            settings,
            neighbours,
            lock,
            nodes,
            salt: pluginVersion,
            hasBuildDefaults: withBuildDefaults,
            isAffectedWhole,
            pluginInputs,
          },
          names,
        );
        return [file, { projects: { [folder]: project }, externalNodes }] as const;
      }),
    );
    const libraries = { projects: { ...localLibraries(disk, local, found) } };
    return {
      projects: [...results, ...results.slice(0, 1).map(([file]) => [file, libraries] as const)],
      needed: {
        files,
        linked: linked.toSorted(),
        late: late.toSorted(),
        versions: [...versions].toSorted(),
      },
      outlines: () =>
        outlinesOf(
          [...[...found.keys()].map((folder) => outlines.get(folder)?.whole), libraries],
          [...found.keys()].map((folder) => outlines.get(folder)?.tasks),
        ),
      seen: () => disk.seen(),
    };
  });
}

/** What is the same for all projects is worked out for the first of them that asks. */
function onceForEach<T>(find: (name: string) => T): (name: string) => T {
  const known = new Map<string, T>();
  return (name) => {
    const value = known.get(name) ?? find(name);
    known.set(name, value);
    return value;
  };
}

/** What decides, beside the Kraftfile and Nx's own settings, what tasks wait for and are told. */
function planOf({ hasManifest, declared }: Facts, neighbours: Neighbours): unknown {
  const { runtime, images, kernel, haveKernels } = neighbours;
  return [hasManifest, declared, runtime, images, kernel, haveKernels];
}

/** What a file says; undefined for one of another kind. One that cannot be read is a project that tells so. */
async function readSummary(file: string, workspaceRoot: string, recall: Recall): Promise<Summary | undefined> {
  const path = join(workspaceRoot, file);
  const directoryName = basename(dirname(path));
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const refusal = leadsNowhere(error) ? refusalOf(error) : undefined;
    if (refusal === undefined) throw error;
    const { summarizeBroken } = await import('./summary.ts');
    return summarizeBroken(`${file}: ${refusal.message}`, directoryName);
  }
  if (!isKraftfile(text)) return undefined;
  const env = Object.fromEntries(mentionedVariables(text).map((name) => [name, process.env[name]]));
  return recall([file, directoryName, text, JSON.stringify(env)], async () => {
    const { summarize } = await import('./summary.ts');
    return summarize({ text, file, directoryName, env });
  });
}

/** Sorted by folder; in each folder the file that kraft would take comes first. */
function inOrderOfPrecedence(files: readonly string[]): readonly string[] {
  const places = files.map((file) => ({
    file,
    folder: dirname(file),
    rank: (kraftfileNames as readonly string[]).indexOf(basename(file)),
  }));
  return places.toSorted((a, b) => compare(a.folder, b.folder) || a.rank - b.rank).map(({ file }) => file);
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
