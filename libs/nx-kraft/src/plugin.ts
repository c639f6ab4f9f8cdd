import { readFileSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import type { CreateNodesContext, CreateNodesResultArray, PreTasksExecutionContext } from '@nx/devkit';
import { isKraftfile, kraftfileNames } from '@nx-kraft/kraftfile/names';
import { assignProjectNames } from './inference/project-names.ts';
import { lookAround } from './inference/facts.ts';
import { readLockFields } from './inference/lock.ts';
import { withMemory } from './inference/memory.ts';
import { readTaskOptions } from './inference/project-options.ts';
import type { Summary } from './inference/summary.ts';
import { type Input, inferProject } from './inference/targets.ts';
import { type PluginOptions, taskNames } from './options.ts';
import { toolchainVariable } from './tasks/files.ts';
import { networkVariables } from './tasks/network.ts';
import { packageFolder, pluginState, pluginVersion } from './tasks/version.ts';

export { type PluginOptions } from './options.ts';

export const name = 'nx-kraft';

/** Makes a project of every Kraftfile: one for each folder, of the file that kraft would take there. */
export const createNodes = [
  '**/{Kraftfile,Kraftfile.yaml,Kraftfile.yml,kraft.yaml,kraft.yml}',
  createProjects,
] as const;

/** The name that Nx before version 24 looks for. */
export const createNodesV2 = createNodes;

async function createProjects(
  files: readonly string[],
  options: PluginOptions | undefined,
  { workspaceRoot }: CreateNodesContext,
): Promise<CreateNodesResultArray> {
  const state = pluginState();
  const names = taskNames(options);
  return withMemory(workspaceRoot, async (recall) => {
    const found = new Map<string, { readonly file: string; readonly summary: Summary }>();
    for (const file of inOrderOfPrecedence(files)) {
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
    const projectNames = assignProjectNames(new Map([...found].map(([folder, { summary }]) => [folder, summary.name])));
    const pluginInputs = ownSources(workspaceRoot);
    const lock = readLockFields(workspaceRoot);
    return Promise.all(
      [...found].map(async ([folder, { file, summary }]) => {
        const rootfsOptions = await readTaskOptions(join(workspaceRoot, folder), names.rootfs);
        const { project, externalNodes } = inferProject(
          {
            name: projectNames.get(folder) ?? summary.name,
            kraftfile: file,
            summary,
            facts: await lookAround(workspaceRoot, file, summary, rootfsOptions, recall),
            lock,
            salt: pluginVersion,
            pluginInputs,
          },
          names,
        );
        return [file, { projects: { [folder]: project }, externalNodes: { ...externalNodes } }] as const;
      }),
    );
  });
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

/** Takes `--offline` and `--frozen` to all tasks, and sets the variables that bring the versions of compilers and of make's other tools into the cache keys. */
export async function preTasksExecution(
  _options: PluginOptions | undefined,
  { argv }: PreTasksExecutionContext,
): Promise<void> {
  Object.assign(process.env, networkVariables(argv));
  const { describeToolchains } = await import('@nx-kraft/kernel');
  const toolchains = await describeToolchains(['x86_64', 'arm64', 'arm']);
  for (const [architecture, text] of toolchains) process.env[toolchainVariable(architecture)] = text;
}
