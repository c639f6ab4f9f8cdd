import { join } from 'node:path';
import {
  type PackageManager,
  type Tree,
  detectPackageManager,
  generateFiles,
  getPackageManagerCommand,
  readNxJson,
} from '@nx/devkit';
import { type PluginOptions, taskNames } from '../../options.ts';
import { type Afterwards, type CommonOptions, asGenerator, tellAfterwards } from '../generator.ts';
import { templateFolder } from '../template-files.ts';
import { hostPackages } from './host-packages.ts';

export interface CiOptions extends CommonOptions {
  readonly provider: 'github' | 'gitlab';
  /** Default: 4. */
  readonly workers?: number;
  readonly agents?: boolean;
}

const files = templateFolder('ci');

/** Where GitLab begins to read. */
const gitlabFile = '.gitlab-ci.yml';

/**
 * Writes a workflow that plans what changed, builds it on several machines over the remote cache and merges it into one
 * image index for each application; or one for Nx Agents. The same options write the same files.
 */
export default asGenerator(async (tree: Tree, options: CiOptions): Promise<Afterwards> => {
  const { provider, agents = false } = options;
  const manager = detectPackageManager(tree.root);
  const command = getPackageManagerCommand(manager, tree.root);
  const names = taskNames(pluginOptions(tree));
  const substitutions = {
    branch: readNxJson(tree)?.defaultBase?.replace(/^origin\//, '') ?? 'main',
    workers: options.workers ?? 4,
    targets: [names.build, names.package, names.test].join(','),
    packages: (await hostPackages(tree)).join(' '),
    exec: command.exec,
    install: command.ciInstall ?? command.install,
    setup: githubSetup(manager, command.ciInstall ?? command.install),
  };
  const folder = provider === 'github' ? '.github/workflows' : '.gitlab';
  generateFiles(tree, join(files, agents ? `${provider}-agents` : provider), folder, substitutions);
  if (agents) generateFiles(tree, join(files, 'agents'), '.nx/workflows', substitutions);
  const include = 'include:\n  - local: .gitlab/unikernels.yml\n';
  if (provider === 'gitlab' && !tree.exists(gitlabFile)) tree.write(gitlabFile, include);
  const todo = [
    ...(provider === 'gitlab' && !includes(tree)
      ? [`Add to ${gitlabFile}, and the stages plan, build and merge where it lists stages:\n${include}`]
      : []),
    agents
      ? 'Connect the workspace to Nx Cloud: nx connect'
      : `Set up a remote cache and its tokens, as the first lines of ${folder}/unikernels.yml say.`,
  ];
  return tellAfterwards(...todo);
});

function includes(tree: Tree): boolean {
  return tree.read(gitlabFile, 'utf8')?.includes('.gitlab/unikernels.yml') ?? false;
}

/** The options of the plugin, which may have given other names to tasks. */
function pluginOptions(tree: Tree): PluginOptions | undefined {
  const plugin = readNxJson(tree)?.plugins?.find((entry) => typeof entry === 'object' && entry.plugin === 'nx-kraft');
  return typeof plugin === 'object' ? (plugin.options as PluginOptions | undefined) : undefined;
}

/** The steps after the checkout that make the workspace's tools ready. */
function githubSetup(manager: PackageManager, install: string): string {
  const steps = [
    ...(manager === 'pnpm' ? ['- uses: pnpm/action-setup@v4'] : []),
    ...(manager === 'bun' ? ['- uses: oven-sh/setup-bun@v2'] : []),
    '- uses: actions/setup-node@v4',
    '  with:',
    '    node-version: 24',
    ...(manager === 'bun' ? [] : [`    cache: ${manager}`]),
    `- run: ${install}`,
  ];
  return steps.map((line) => `      ${line}`).join('\n');
}
