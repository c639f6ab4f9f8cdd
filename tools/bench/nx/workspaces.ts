// Workspaces of Kraftfiles of any number, and beside them the same projects with as many tasks that do nothing.
//   npx node tools/bench/nx/workspaces.ts COUNT FOLDER    makes one in FOLDER to look at
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { ProjectConfiguration, TargetConfiguration } from '@nx/devkit';
import { installOthers, installPublished } from '../published.ts';
import { type Files, applicationFiles } from './shapes.ts';

/** What a bench starts with: Nx of this repository, and the plugin as it is published (see `dist`). */
export async function makeWorkspace(
  folder: string,
  count: number,
  filesOf: (index: number) => Files = applicationFiles,
): Promise<string> {
  await writeFiles(folder, {
    'nx.json': JSON.stringify({ plugins: ['nx-kraft'], neverConnectToCloud: true, analytics: false }),
    'package.json': JSON.stringify({ name: 'bench', private: true }),
    '.gitignore': 'node_modules\n.nx\n.unikraft\n',
  });
  await installPublished(folder);
  for (let index = 0; index < count; index++) await writeFiles(join(folder, placeOf(index)), filesOf(index));
  return folder;
}

/** Fifty applications in each folder. */
function placeOf(index: number): string {
  return join('apps', `group${Math.floor(index / 50)}`, `app${index}`);
}

/** The part of Nx's graph that a peer is made from. */
interface Graph {
  readonly nodes: Readonly<Record<string, { readonly data: ProjectConfiguration }>>;
}

/**
 * The peer of a workspace: in each folder that has a project there a `package.json` with the same tasks, which declare the
 * same inputs, outputs and order, and do nothing.
 *
 * @param graphFile  the graph of the workspace, as Nx writes it
 */
export async function makePeer(folder: string, workspace: string, graphFile: string): Promise<string> {
  const { nodes } = JSON.parse(await readFile(graphFile, 'utf8')) as Graph;
  await writeFiles(folder, {
    'nx.json': JSON.stringify({ neverConnectToCloud: true, analytics: false }),
    'package.json': JSON.stringify({ name: 'bench', private: true, workspaces: ['apps/*/*'] }),
    '.gitignore': 'node_modules\n.nx\n.unikraft\n',
  });
  await installOthers(folder);
  await cp(join(workspace, 'apps'), join(folder, 'apps'), {
    recursive: true,
    filter: (path) => !/\/(\.unikraft|Kraftfile|kraft\.yaml)$/.test(path),
  });
  for (const [name, { data }] of Object.entries(nodes)) {
    if (!data.root.startsWith('apps/')) continue;
    const targets = Object.fromEntries(
      Object.entries(data.targets ?? {}).map(([task, target]) => [task, doNothing(target)]),
    );
    await writeFiles(join(folder, data.root), {
      'package.json': JSON.stringify({ name, version: '1.0.0', nx: { targets } }),
    });
  }
  return folder;
}

/** Installs a plugin with all functions of ours, which finds nothing and does nothing. */
export async function addEmptyPlugin(folder: string): Promise<string> {
  const nxJson = JSON.parse(await readFile(join(folder, 'nx.json'), 'utf8')) as object;
  await writeFiles(folder, {
    'nx.json': JSON.stringify({ ...nxJson, plugins: ['empty-plugin'] }),
    'node_modules/empty-plugin/package.json': JSON.stringify({
      name: 'empty-plugin',
      version: '1.0.0',
      main: 'main.mjs',
    }),
    'node_modules/empty-plugin/main.mjs': `
      export const name = 'empty-plugin';
      export const createNodes = ['**/Kraftfile', async () => []];
      export const createNodesV2 = createNodes;
      export const createDependencies = async () => [];
      export const preTasksExecution = async () => {};
      export const postTasksExecution = async () => {};
    `,
  });
  return folder;
}

/** The same task with all that it declares, but for parts of Kraftfiles, which only our plugin knows. */
function doNothing({ inputs, ...target }: TargetConfiguration): TargetConfiguration {
  const known = inputs?.map((input) =>
    typeof input === 'object' && 'externalDependencies' in input ? { externalDependencies: [] } : input,
  );
  return { ...target, executor: 'nx:noop', ...(known === undefined ? {} : { inputs: known }) };
}

async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

if (import.meta.main) {
  const [count = '', folder = ''] = process.argv.slice(2);
  process.stdout.write(`${await makeWorkspace(resolve(folder), Number(count))}\n`);
}
