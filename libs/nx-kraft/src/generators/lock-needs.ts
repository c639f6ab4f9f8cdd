import { basename, dirname, join } from 'node:path';
import { type Tree, readNxJson } from '@nx/devkit';
import {
  type ComponentRequest,
  type Lock,
  type LockNeeds,
  type LockOptions,
  type PlacedRequest,
  applyTemplates,
  fetchComponent,
  openStore,
  parseLock,
  readUserIndexes,
  resolveComponent,
} from '@nx-kraft/components';
import { type Fault, describeError } from '@nx-kraft/base';
import { type Kraftfile, readKraftfile } from '@nx-kraft/kraftfile';
import { Repository, parseReference } from '@nx-kraft/oci';
import { RootfsFault, rootfsInputs } from '@nx-kraft/rootfs';
import { Disk } from '../inference/disk.ts';
import { readProjectSettings } from '../inference/project-options.ts';
import { packedImageNames } from '../inference/survey.ts';
import { type PluginOptions, type TaskNames, taskNames } from '../options.ts';
import { lockFileName } from '../tasks/files.ts';
import { plannedTargets } from '../tasks/kraftproject.ts';
import { networkRules } from '../tasks/network.ts';
import { baseImageName, componentNeeds, namedComponents, runtimeImageName } from '../tasks/needs.ts';
import { openRegistries } from '../tasks/registry.ts';
import { readTemplate } from '../tasks/sources.ts';
import { findKraftfiles } from './kraftprojects.ts';

/** The lock as the tree has it; undefined when there is none. */
export function readTreeLock(tree: Tree): Lock | undefined {
  const text = tree.read(lockFileName, 'utf8');
  return text === null ? undefined : parseLock(text, lockFileName);
}

/** How names are resolved while a lock is written. */
export async function lockOptions(): Promise<LockOptions> {
  const rules = networkRules({});
  const client = openRegistries(rules);
  return {
    store: openStore(),
    indexes: await readUserIndexes(),
    offline: rules.offline,
    resolveDigest: async (name) => {
      const reference = parseReference(name);
      const { descriptor } = await new Repository(client, reference).resolve(reference.tag ?? 'latest');
      return descriptor.digest;
    },
    onProgress: ({ kind, message }) => {
      // That something is not locked is why this runs.
      if (kind !== 'unlocked') process.stderr.write(`${message}\n`);
    },
  };
}

/** What could not be locked, as one fault for all; undefined where all was. */
export function lockFailure(faults: ReadonlyMap<string, Fault>): Error | undefined {
  if (faults.size === 0) return undefined;
  const told = [...faults].map(([key, fault]) => `${key} cannot be locked: ${describeError(fault)}`);
  // Nx tells an error's message only, and asks to look at a stack trace where there is one.
  return Object.assign(new Error(told.join('\n')), { stack: '' });
}

/** Everything that the Kraftfiles of a workspace, their templates and their Dockerfiles name. */
export async function gatherNeeds(tree: Tree, lock: Lock | undefined, options: LockOptions): Promise<LockNeeds> {
  const files = await findKraftfiles(tree);
  const names = inferredNames(tree);
  const needs = await Promise.all(files.map((file) => needsOf(tree, file, names, lock, options)));
  const packed = await imagesPackedHere(tree, files, names);
  return {
    components: needs.flatMap(({ components }) => components),
    images: [...new Set(needs.flatMap(({ images }) => images))].filter((name) => !packed.has(name)),
  };
}

/** What the tasks are called by the plugin's options in `nx.json`. */
function inferredNames(tree: Tree): TaskNames {
  const plugins = readNxJson(tree)?.plugins ?? [];
  const own = plugins.find((plugin) => typeof plugin === 'object' && plugin.plugin.startsWith('nx-kraft'));
  return taskNames(typeof own === 'object' ? (own.options as PluginOptions | undefined) : undefined);
}

/** What the workspace packs itself is taken from where it is packed, and so has no place in the lock. */
async function imagesPackedHere(tree: Tree, files: readonly string[], names: TaskNames): Promise<ReadonlySet<string>> {
  const disk = new Disk(tree.root);
  const packed = await Promise.all(
    files.map(async (file) => packedImageNames(await readProjectSettings(join(tree.root, dirname(file)), disk), names)),
  );
  return new Set(packed.flat());
}

async function needsOf(
  tree: Tree,
  file: string,
  names: TaskNames,
  lock: Lock | undefined,
  rules: LockOptions,
): Promise<LockNeeds> {
  const folder = join(tree.root, dirname(file));
  const directoryName = basename(folder);
  const { kraftfile } = readKraftfile(tree.read(file, 'utf8') ?? '', { file, directoryName, env: process.env });
  // A file that cannot be read names nothing; its own tasks tell what is wrong with it.
  if (kraftfile === undefined) return { components: [], images: [] };
  const templates: PlacedRequest[] = [];
  const fetch = async (request: ComponentRequest, baseDirectory: string): Promise<string> => {
    const options = { ...rules, lock, baseDirectory };
    const fetched = await fetchComponent(await resolveComponent(request, options), options.store, options);
    const components = remoteKeys(await readTemplate(fetched.folder));
    templates.push({ request, baseDirectory, components });
    return fetched.folder;
  };
  const merged = await applyTemplates(kraftfile, folder, fetch, readTemplate);
  return {
    components: [...componentNeeds(merged.kraftfile, folder), ...templates],
    images: await imagesOf(folder, kraftfile, names, new Disk(tree.root)),
  };
}

function remoteKeys(kraftfile: Kraftfile | undefined): readonly string[] {
  const named = kraftfile === undefined ? [] : namedComponents(kraftfile);
  return named.flatMap(({ key, folder }) => (folder === undefined ? [key] : [])).toSorted();
}

/** The runtime, and the images that the root file system is made from, by their names in full. */
async function imagesOf(
  folder: string,
  kraftfile: Kraftfile,
  names: TaskNames,
  disk: Disk,
): Promise<readonly string[]> {
  const { runtime, rootfs } = kraftfile;
  const runtimes = runtime?.reference === undefined ? [] : [runtimeImageName(runtime.reference)];
  if (rootfs === undefined) return runtimes;
  try {
    const options = (await readProjectSettings(folder, disk)).options(names.rootfs);
    const architecture = plannedTargets(kraftfile)[0]?.architecture;
    const inputs = rootfsInputs({ ...rootfs, architecture, ...options, baseDirectory: folder });
    return [...runtimes, ...inputs.images.map(baseImageName)];
  } catch (error) {
    // A source that is not there names no images; the task that needs it tells of it.
    if (error instanceof RootfsFault) return runtimes;
    throw error;
  }
}
