import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Disk } from './disk.ts';

type Options = Readonly<Record<string, unknown>>;

/** What a project or nx.json says of a task. */
export interface GivenTarget {
  readonly options?: Options;
  readonly configurations?: Readonly<Record<string, Options>>;
  readonly dependsOn?: readonly unknown[];
}

interface Targets {
  readonly [name: string]: GivenTarget | undefined;
}

/** What a project itself says to Nx, in its `project.json` or `package.json`. */
export interface ProjectSettings {
  /** The options that it gives to an inferred task: Nx merges them after inference, while here inputs follow from them. */
  readonly options: (task: string) => Options;
  /** All options that a task may get: those, and what they are with each configuration. */
  readonly variants: (task: string) => readonly Options[];
  /** The projects that it declares to depend on; patterns that exclude others are left out. */
  readonly declared: readonly string[];
  /** Whether it has a task wait for others, beside those that inference puts before it. */
  readonly waits: (task: string) => boolean;
}

interface Settings {
  readonly name?: string;
  readonly targets?: Targets;
  readonly implicitDependencies?: readonly string[];
}

/**
 * Reads the settings of the project in a folder.
 *
 * @param name  the project's, where it gives itself none
 * @param defaults  what nx.json says of a task
 */
export async function readProjectSettings(
  folder: string,
  disk: Disk,
  name: string,
  defaults: (task: string) => readonly GivenTarget[],
): Promise<ProjectSettings> {
  const project = await readJson<Settings>(folder, 'project.json', disk);
  const manifestFile = await readJson<{ name?: string; nx?: Settings }>(folder, 'package.json', disk);
  const manifest = manifestFile?.nx;
  const own = [manifest?.targets, project?.targets].filter((targets) => targets !== undefined);
  const given = (task: string): readonly GivenTarget[] =>
    own.length === 0 ? defaults(task) : [...defaults(task), ...own.flatMap((targets) => targets[task] ?? [])];
  const tokens = {
    projectRoot: relative(disk.workspaceRoot, folder) || '.',
    projectName: project?.name ?? manifest?.name ?? manifestFile?.name ?? name,
  };
  const merge = (parts: readonly (Options | undefined)[]): Options =>
    replaceTokens(Object.assign({}, ...parts) as Options, tokens) as Options;
  const declared = [...(manifest?.implicitDependencies ?? []), ...(project?.implicitDependencies ?? [])];
  return {
    options: (task) => merge(given(task).map(({ options }) => options)),
    variants: (task) => {
      const targets = given(task);
      if (targets.length === 0) return [{}];
      const options = targets.map((target) => target.options);
      const names = new Set(targets.flatMap(({ configurations = {} }) => Object.keys(configurations)));
      const configured = [...names].map((name) => targets.map(({ configurations }) => configurations?.[name]));
      return [merge(options), ...configured.map((configuration) => merge([...options, ...configuration]))];
    },
    declared: declared.filter((name) => !name.startsWith('!')),
    waits: (task) => declared.length > 0 || given(task).some(({ dependsOn = [] }) => dependsOn.length > 0),
  };
}

/** Options with what Nx puts in the place of its tokens. */
function replaceTokens(
  value: unknown,
  tokens: { readonly projectRoot: string; readonly projectName: string },
): unknown {
  if (typeof value === 'string') {
    return value
      .replace(/^\{workspaceRoot\}\/?/, '')
      .replaceAll('{projectRoot}', () => tokens.projectRoot)
      .replaceAll('{projectName}', () => tokens.projectName);
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => replaceTokens(item, tokens));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaceTokens(item, tokens)]));
}

async function readJson<T>(folder: string, name: string, disk: Disk): Promise<T | undefined> {
  // The folder will be listed anyway.
  if (!disk.holds(folder, name)) return undefined;
  const path = join(folder, name);
  if (!disk.hasFile(path)) return undefined;
  disk.looked.contents(path);
  const text = readFileSync(path, 'utf8');
  try {
    return JSON.parse(text) as T;
  } catch {
    // Nx allows comments in these files, and tells of real mistakes in them better than we could.
    const { parseJson } = await import('@nx/devkit');
    return parseJson(text) as T;
  }
}
