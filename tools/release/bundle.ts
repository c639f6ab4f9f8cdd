import { cp, readFile, readdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { build, type ChunkingContext, type CodeSplittingGroup, type OutputChunk } from 'rolldown';
import { builtins } from './builtins.ts';

/** As deep in the package as `tasks`, of which one module tells by its own place where the package is. */
const place = 'src/bundle';

/** As the packages' manifests have it, and what TypeScript makes of the other packages' modules. */
const oldestNode = 'node22.12';

/** What is not in the bundle: Nx is the workspace's own, and `yaml` is loaded as CommonJS, for the few files that need it. */
const external = /^(node:|nx\/|@nx\/|yaml$)/;

/**
 * The modules that tell by where they are where something else is, and what they look for beside themselves: scripts, and
 * programs, which are entries of the bundle. All of the bundle's files are in one folder.
 */
const beside: Readonly<Record<string, readonly string[]>> = {
  'components/src/upstream.ts': ['upstream-main.ts'],
  'kernel/src/jobs.ts': ['with-jobs.sh'],
  'kernel/src/make.ts': ['bash-functions.sh'],
  'kernel/src/place.ts': ['canonical-place.sh'],
  'machine/src/instances.ts': ['instance-process.ts'],
  'nx-kraft/src/remote-cache/run-guard.ts': ['guard-process.ts'],
  'nx-kraft/src/tasks/prepare-inputs.ts': ['tell-details.ts'],
  // These look for packages: their own, and those that it depends on.
  'nx-kraft/src/tasks/version.ts': [],
  'nx-kraft/src/generators/vscode/generator.ts': [],
  'kraftfile/src/yaml.ts': [],
};

const command = ['nx-kraft/src/cli/main.ts', 'nx-kraft/src/cli/version.ts'];
const details = ['nx-kraft/src/inference/variables.ts', 'nx-kraft/src/tasks/source-details.ts'];
const plugin = [
  'nx-kraft/src/plugin.ts',
  'nx-kraft/src/inference/create-projects.ts',
  'nx-kraft/src/inference/dependencies.ts',
  'nx-kraft/src/tasks/prepare-inputs.ts',
  'nx-kraft/src/tasks/renew-graph.ts',
];
const rootfsTask = ['nx-kraft/src/executors/rootfs/executor.ts'];
const otherTasks = ['nx-kraft/src/executors/build/executor.ts', 'nx-kraft/src/executors/test/executor.ts'];

/**
 * What goes into one file, before Rolldown makes one for each set of modules that the same entries load, which are many and
 * small: all that one of these modules loads at once and, where it says so, one of others as well. The first that fits counts.
 */
const together: readonly { readonly name: string; readonly of: readonly string[]; readonly and?: readonly string[] }[] =
  [
    { name: 'base', of: command, and: plugin },
    { name: 'details', of: details },
    { name: 'plugin', of: plugin },
    { name: 'task', of: rootfsTask, and: otherTasks },
    { name: 'rootfs', of: ['rootfs/src/entry-build.ts'] },
  ];

/**
 * Puts the plugin's modules together, of all rooms and libraries, since Node takes longer to load many small ones than
 * most commands and tasks take for what they do. It is one bundle, so that no class is there twice: what several entries
 * use is in files that they share, and what is loaded only when it is needed stays so.
 *
 * @param libs  the folder of the packages' sources
 * @param published  the folder of the plugin's package as it is published
 * @param sources  where the package is entered, as paths like `./src/index.ts`
 * @returns the bundle's file for each source, as a path in the package
 * @throws Error when a module looks for files and nobody has seen to it that they are there
 */
export async function bundlePlugin(
  libs: string,
  published: string,
  sources: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const sought = Object.entries(beside).flatMap(([module, files]) =>
    files.map((file) => join(libs, dirname(module), file)),
  );
  const programs = sought.filter(isSource);
  const { output } = await build({
    input: {
      ...Object.fromEntries(sources.map((source) => [entryName(source), join(libs, 'nx-kraft', source)])),
      ...Object.fromEntries(programs.map((program) => [basename(program, '.ts'), program])),
    },
    platform: 'node',
    transform: { target: oldestNode },
    external: (id) => external.test(id),
    plugins: [builtins],
    // What one entry loads at once, another may load when it needs it.
    checks: { ineffectiveDynamicImport: false },
    output: { dir: join(published, place), cleanDir: true, codeSplitting: { groups: groups(libs) } },
  });
  const chunks = output.filter((file) => file.type === 'chunk');
  await checkPlaces(libs, chunks);
  for (const script of sought.filter((file) => !isSource(file)))
    await cp(script, join(published, place, basename(script)));
  await writeFile(join(published, place, 'LICENSES'), await licences(chunks));
  return Object.fromEntries(sources.map((source) => [source, `./${place}/${entryName(source)}.js`]));
}

function groups(libs: string): CodeSplittingGroup[] {
  const loaded = new Map<string, ReadonlySet<string>>();
  return together.map(({ name, of, and = of }) => ({
    debugName: name,
    name: (module, context) => {
      const isLoadedBy = (root: string): boolean => {
        const modules = loaded.get(root) ?? loadedAtOnce(join(libs, root), context);
        loaded.set(root, modules);
        return modules.has(module);
      };
      return of.some(isLoadedBy) && and.some(isLoadedBy) ? name : null;
    },
  }));
}

/** A module and all that it loads by itself, not only when it needs it. */
function loadedAtOnce(module: string, context: ChunkingContext, found = new Set<string>()): ReadonlySet<string> {
  const info = context.getModuleInfo(module);
  if (info === null) throw new Error(`${module} is no module of the bundle`);
  found.add(module);
  for (const next of info.importedIds) {
    if (!found.has(next) && !external.test(next)) loadedAtOnce(next, context, found);
  }
  return found;
}

function entryName(source: string): string {
  return source
    .replace(/^\.\/src\//, '')
    .replace(/\.ts$/, '')
    .replaceAll('/', '-');
}

function isSource(file: string): boolean {
  return file.endsWith('.ts');
}

function modulesOf(chunks: readonly OutputChunk[]): readonly string[] {
  // Those that Rolldown adds are no files.
  return chunks.flatMap(({ moduleIds }) => moduleIds.filter((module) => !module.startsWith('\0')));
}

async function checkPlaces(libs: string, chunks: readonly OutputChunk[]): Promise<void> {
  for (const module of modulesOf(chunks)) {
    const name = relative(libs, module).split(sep).join('/');
    if (beside[name] === undefined && /\bimport\.meta\b|\b__(dirname|filename)\b/.test(await readFile(module, 'utf8')))
      throw new Error(`${name} looks for files from where it is: see that they are beside the bundle as well`);
  }
}

/** The licences of the libraries that are in the bundle, as their authors want them to go along. */
async function licences(chunks: readonly OutputChunk[]): Promise<string> {
  const packages = modulesOf(chunks).flatMap((module) => /^.*\/node_modules\/(@[^/]+\/)?[^/]+/.exec(module)?.[0] ?? []);
  const texts = [...new Set(packages)].toSorted().map(async (folder) => {
    const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
    const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice)(\.(md|txt))?$/i.test(file)).toSorted();
    const own = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
    return [`${manifest.name} ${manifest.version}: ${manifest.license}`, ...own.map((text) => text.trim())].join(
      '\n\n',
    );
  });
  return `${(await Promise.all(texts)).join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
}
