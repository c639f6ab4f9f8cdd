import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import type { Tree } from '@nx/devkit';
import { editorSettings, outputNames, readKraftfile } from '@nx-kraft/kraftfile';
import { makeVscodeConfiguration } from '@nx-kraft/machine';
import { type CommonOptions, asGenerator, tellAfterwards } from '../generator.ts';
import { type TreeProject, findKraftproject, findKraftprojects } from '../kraftprojects.ts';
import { type Entry, changeJson, extensionsFile, launchFile, putEntries, settingsFile, tasksFile } from './files.ts';

export interface VscodeOptions extends CommonOptions {
  readonly project?: string;
  /** Where gdb finds the machine. */
  readonly port?: number;
}

/** Lets VS Code complete Kraftfiles, run the tasks of projects, and debug kernels that are built from source. */
export default asGenerator<VscodeOptions>(async (tree, { project, port = 1234 }) => {
  const projects = project === undefined ? await findKraftprojects(tree) : [await findKraftproject(tree, project)];
  const schema = await findSchema(tree);
  const debugged = projects.flatMap((one) => debugEntries(tree, one, port) ?? []);
  changeJson(tree, settingsFile, (before) => merge(before, editorSettings(schema)));
  const extensions = ['redhat.vscode-yaml', ...(debugged.length > 0 ? ['ms-vscode.cpptools'] : [])];
  changeJson(tree, extensionsFile, (before) => {
    const there = (before.recommendations ?? []) as readonly string[];
    return { ...before, recommendations: [...new Set([...there, ...extensions])] };
  });
  if (projects.length > 0) {
    const tasks = projects.flatMap(({ name }) => taskEntries(name));
    putEntries(tree, tasksFile, [...tasks, ...debugged.map(({ task }) => task)]);
  }
  if (debugged.length > 0) {
    putEntries(
      tree,
      launchFile,
      debugged.map(({ launch }) => launch),
    );
  }
  return tellAfterwards('VS Code knows Kraftfiles, and the tasks of your projects. Debug a kernel by Run and Debug.');
});

/** Settings of both; those that are mappings are put together. */
function merge(
  before: Readonly<Record<string, unknown>>,
  added: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const merged: Record<string, unknown> = { ...before };
  for (const [key, value] of Object.entries(added)) {
    merged[key] = { ...(before[key] as object | undefined), ...(value as object) };
  }
  return merged;
}

/** Where the editor finds the schema: in its package, or in a copy where the package manager hides that. */
async function findSchema(tree: Tree): Promise<string> {
  const installed = 'node_modules/@nx-kraft/kraftfile/schema/kraftfile.schema.json';
  if (tree.exists(installed)) return `./${installed}`;
  const copy = '.vscode/kraftfile.schema.json';
  tree.write(copy, await readFile(createRequire(import.meta.url).resolve('@nx-kraft/kraftfile/schema.json')));
  return `./${copy}`;
}

function taskEntries(name: string): readonly Entry[] {
  const entry = (task: string, more: object): Entry => ({
    label: `${name}: ${task}`,
    type: 'shell',
    command: `npx nx run ${name}:${task}`,
    ...more,
  });
  return [
    entry('build', { group: 'build', problemMatcher: '$gcc' }),
    entry('run', { problemMatcher: [] }),
    entry('test', { group: 'test', problemMatcher: [] }),
  ];
}

/** How a kernel is debugged: a task that lets the machine wait, and what gdb does then. None for runtimes. */
function debugEntries(
  tree: Tree,
  { name, root, kraftfile: file }: TreeProject,
  port: number,
): { readonly task: Entry; readonly launch: Entry } | undefined {
  const directoryName = basename(join(tree.root, root));
  const { kraftfile } = readKraftfile(tree.read(file, 'utf8') ?? '', { file, directoryName });
  const target = kraftfile?.targets.find(({ platform }) => platform === 'qemu');
  if (kraftfile === undefined || target === undefined || kraftfile.runtime !== undefined) return undefined;
  const folder = `\${workspaceFolder}/${root}`;
  const debugKernel = `${folder}/${outputNames(kraftfile, target).kernelDebug}`;
  const sources = { '/mnt/app': folder };
  const label = `${name}: debug`;
  return {
    launch: { ...makeVscodeConfiguration(`${name}: gdb`, { debugKernel, port, sources }), preLaunchTask: label },
    task: {
      label,
      type: 'shell',
      command: `npx nx run ${name}:debug --for=${target.id} --port=${port}`,
      isBackground: true,
      // The editor waits for this line before it starts gdb.
      problemMatcher: {
        pattern: { regexp: '^(.+):(\\d+): (.+)$', file: 1, line: 2, message: 3 },
        background: { activeOnStart: true, beginsPattern: 'nx run', endsPattern: 'waiting for gdb' },
      },
    },
  };
}
