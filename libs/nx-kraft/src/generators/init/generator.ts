import { type NxJsonConfiguration, type Tree, readNxJson, writeJson } from '@nx/devkit';
import { changedExecutors } from '../../inference/target-defaults.ts';
import { type PluginOptions, taskNames } from '../../options.ts';
import { type CommonOptions, asGenerator, tellAfterwards } from '../generator.ts';

const plugin = 'nx-kraft';
const syncGenerator = 'nx-kraft:sync';

/** What builds write into the folder of each project. */
const built = '.unikraft';

/** Makes the plugin part of the workspace: its projects, `nx sync` for `kraft.lock`, inputs, and ignore files. */
export default asGenerator<CommonOptions>((tree) => {
  const before = readNxJson(tree) ?? {};
  const after = withOwnInputs(withSync(withPlugin(before)));
  if (JSON.stringify(after) !== JSON.stringify(before)) writeJson(tree, 'nx.json', after);
  // Without a file nothing is ignored yet of what npm and Nx write.
  if (!tree.exists('.gitignore')) tree.write('.gitignore', 'node_modules\n.nx\n');
  addLine(tree, '.gitignore', built);
  if (tree.exists('.dockerignore')) addLine(tree, '.dockerignore', `**/${built}`);
  return tellAfterwards(
    'nx-kraft is set up. Make an app and boot it:',
    '  npx nx g nx-kraft:app apps/hello',
    '  npx nx run hello:run',
  );
});

function withPlugin(nxJson: NxJsonConfiguration): NxJsonConfiguration {
  const plugins = nxJson.plugins ?? [];
  if (plugins.some((entry) => (typeof entry === 'string' ? entry : entry.plugin) === plugin)) return nxJson;
  return { ...nxJson, plugins: [...plugins, plugin] };
}

function withSync(nxJson: NxJsonConfiguration): NxJsonConfiguration {
  const { globalGenerators = [], disabledTaskSyncGenerators = [] } = nxJson.sync ?? {};
  if ([...globalGenerators, ...disabledTaskSyncGenerators].includes(syncGenerator)) return nxJson;
  return { ...nxJson, sync: { ...nxJson.sync, globalGenerators: [...globalGenerators, syncGenerator] } };
}

/** Keeps the tasks of unikernels as they are inferred, where nx.json says something for all tasks of their names. */
function withOwnInputs(nxJson: NxJsonConfiguration): NxJsonConfiguration {
  const entry = nxJson.plugins?.find((other) => typeof other === 'object' && other.plugin === plugin);
  const options = typeof entry === 'object' ? (entry.options as PluginOptions | undefined) : undefined;
  const changed = changedExecutors(nxJson, taskNames(options));
  if (changed.length === 0) return nxJson;
  const guards = Object.fromEntries(changed.map((executor) => [executor, {}]));
  return { ...nxJson, targetDefaults: { ...nxJson.targetDefaults, ...guards } };
}

/** Adds what builds write to an ignore file, unless a line of it says so already. */
function addLine(tree: Tree, file: string, line: string): void {
  const text = tree.read(file, 'utf8') ?? '';
  if (text.split(/\r?\n/).some((other) => /^(\*\*\/|\/)?\.unikraft(\/\**)?$/.test(other.trim()))) return;
  const end = text.includes('\r\n') ? '\r\n' : '\n';
  tree.write(file, `${text}${text === '' || text.endsWith('\n') ? '' : end}${line}${end}`);
}
