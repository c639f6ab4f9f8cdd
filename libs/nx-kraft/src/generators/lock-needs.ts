import { basename, dirname, join } from 'node:path';
import { type Tree, readNxJson } from '@nx/devkit';
import {
  type ComponentRequest,
  type Lock,
  type LockNeeds,
  type LockOptions,
  type PlacedRequest,
  applyTemplates,
  componentKey,
  fetchComponent,
  isToUpdate,
  openStore,
  parseLock,
  readUserIndexes,
  resolveComponent,
  updateLock,
} from '@nx-kraft/components';
import { Fault, describeError, regularFile } from '@nx-kraft/base';
import { type Kraftfile, readKraftfile } from '@nx-kraft/kraftfile';
import { Repository, parseReference } from '@nx-kraft/oci';
import { rootfsInputs } from '@nx-kraft/rootfs';
import { Disk } from '../inference/disk.ts';
import { mentionedVariables } from '../inference/mentioned-variables.ts';
import { type ProjectSettings, readProjectSettings } from '../inference/project-options.ts';
import { packedImageNames } from '../inference/survey.ts';
import { targetDefaults } from '../inference/target-defaults.ts';
import { filesystemRequests, filesystemsOf } from '../tasks/filesystem-requests.ts';
import { type PluginOptions, type TaskNames, taskNames } from '../options.ts';
import { lockFileName } from '../tasks/files.ts';
import { plannedTargets } from '../tasks/kraftproject.ts';
import { networkRules } from '../tasks/network.ts';
import { baseImageName, componentNeeds, namedComponents, runtimeImageName } from '../tasks/needs.ts';
import { openRegistries } from '../tasks/registry.ts';
import { loadTemplate, readTemplate } from '../tasks/sources.ts';
import { sentence } from './generator.ts';
import { findKraftfiles } from './kraftprojects.ts';

/** The lock as the tree has it; undefined when there is none. */
function readTreeLock(tree: Tree): Lock | undefined {
  regularFile(join(tree.root, lockFileName));
  const text = tree.read(lockFileName, 'utf8');
  return text === null ? undefined : parseLock(text, lockFileName);
}

/** How names are resolved while a lock is written. */
async function lockOptions(): Promise<LockOptions> {
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

/** What becomes of the lock, and what could not be had for it. */
interface LockRefresh {
  readonly before: Lock | undefined;
  readonly after: Lock;
  /** Tells all that could not be locked; undefined where nothing is amiss. */
  readonly failure: Error | undefined;
}

/**
 * Makes the lock that a workspace needs. What cannot be had for it keeps none of the rest from being locked, and what the
 * lock has of it stays: only whoever knows all that is named knows what nobody names any more.
 *
 * @param update  what to ask for again although it is locked
 * @throws Error with a fault as its message, for a lock that cannot be read or a name that no Kraftfile has
 */
export async function refreshLock(tree: Tree, update: LockOptions['update'] = []): Promise<LockRefresh> {
  try {
    const before = readTreeLock(tree);
    const rules = { ...(await lockOptions()), update };
    const { needs, namedIn, faults } = await gatherNeeds(tree, before, rules);
    const onFault = (key: string, fault: Fault): void => void faults.set(key, fault);
    const after = await updateLock(before, needs, { ...rules, onFault });
    return { before, after, failure: faults.size === 0 ? undefined : sentence(tellFaults(faults, namedIn)) };
  } catch (error) {
    throw error instanceof Fault ? sentence(describeError(error), error) : error;
  }
}

/** Of each thing that could not be locked: where it is named, what it is, why, and what to do. */
function tellFaults(faults: ReadonlyMap<string, Fault>, namedIn: ReadonlyMap<string, readonly string[]>): string {
  const told = [...faults].map(([key, fault]): string => {
    const [first = lockFileName, ...others] = namedIn.get(key) ?? [];
    const more = others.length === 0 ? '' : ` and ${others.length} more`;
    return `${first}${more}: ${key} cannot be locked: ${describeError(fault)}`;
  });
  return told.toSorted().join('\n');
}

/** What the Kraftfiles name, as far as that could be found out. */
interface GatheredNeeds {
  readonly needs: LockNeeds;
  /** The Kraftfiles that name a component or image, relative to the workspace, by its key. */
  readonly namedIn: ReadonlyMap<string, readonly string[]>;
  /** What kept needs from being found out, by the key of the template or image. */
  readonly faults: Map<string, Fault>;
}

/** Everything that the Kraftfiles of a workspace, their templates and their Dockerfiles name. */
async function gatherNeeds(tree: Tree, lock: Lock | undefined, options: LockOptions): Promise<GatheredNeeds> {
  const files = await findKraftfiles(tree);
  const names = inferredNames(tree);
  const packed = await imagesPackedHere(tree, files, names);
  const gathered = await Promise.all(
    files.map(async (file) => ({ file, ...(await needsOf(tree, file, names, lock, options)) })),
  );
  const namedIn = new Map<string, string[]>();
  for (const { file, components, images, faults } of gathered) {
    const keys = [...components.map(({ request }) => componentKey(request)), ...images, ...faults.keys()];
    for (const key of new Set(keys)) namedIn.set(key, [...(namedIn.get(key) ?? []), file]);
  }
  return {
    needs: {
      components: gathered.flatMap(({ components }) => components),
      images: [...new Set(gathered.flatMap(({ images }) => images))].filter((name) => !packed.has(name)),
      isPartial: gathered.some(({ isPartial }) => isPartial === true),
    },
    namedIn,
    faults: new Map(gathered.flatMap(({ faults }) => [...faults])),
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
    files.map(async (file) => packedImageNames(await settingsIn(tree, file, names, disk), names)),
  );
  return new Set(packed.flat());
}

function settingsIn(tree: Tree, file: string, names: TaskNames, disk: Disk): Promise<ProjectSettings> {
  const folder = join(tree.root, dirname(file));
  const nxJson = readNxJson(tree) ?? {};
  return readProjectSettings(folder, disk, basename(folder), (task) => targetDefaults(nxJson, names, task));
}

/** What one Kraftfile names, and what could not be found out about that. */
interface FileNeeds extends LockNeeds {
  readonly faults: ReadonlyMap<string, Fault>;
}

async function needsOf(
  tree: Tree,
  file: string,
  names: TaskNames,
  lock: Lock | undefined,
  rules: LockOptions,
): Promise<FileNeeds> {
  const folder = join(tree.root, dirname(file));
  const directoryName = basename(folder);
  const text = tree.read(file, 'utf8') ?? '';
  const { kraftfile, diagnostics } = readKraftfile(text, { file, directoryName, env: process.env });
  // What a broken file names is not all known; its own tasks tell what is wrong with it.
  if (kraftfile === undefined) return { components: [], images: [], isPartial: true, faults: new Map() };
  const { components, faults } = await componentsOf(kraftfile, folder, lock, rules);
  const settings = await settingsIn(tree, file, names, new Disk(tree.root));
  const images = imagesOf(folder, kraftfile, settings.variants(names.rootfs));
  return {
    components,
    images: images.images,
    isPartial: faults.size > 0 || diagnostics.some(({ severity }) => severity === 'error'),
    faults: new Map([...faults, ...images.faults]),
  };
}

/** A Kraftfile, and where relative paths in it start. */
interface Placed {
  readonly kraftfile: Kraftfile;
  readonly folder: string;
}

/** The components of a Kraftfile and of its templates; of a template that cannot be had, what is named without it. */
async function componentsOf(
  kraftfile: Kraftfile,
  folder: string,
  lock: Lock | undefined,
  rules: LockOptions,
): Promise<Pick<FileNeeds, 'components' | 'faults'>> {
  const templates: PlacedRequest[] = [];
  const read: Placed[] = [{ kraftfile, folder }];
  let latest = '';
  const fetch = async (request: ComponentRequest, baseDirectory: string): Promise<string> => {
    latest = componentKey(request);
    // What a template names is asked of what it will be locked to.
    const options = { ...rules, lock: isToUpdate(request, rules.update) ? undefined : lock, baseDirectory };
    const fetched = await fetchComponent(await resolveComponent(request, options), options.store, options);
    const { kraftfile: template, text = '' } = (await loadTemplate(fetched.folder)) ?? {};
    const variables = template?.spec === 'v0.7' ? [] : mentionedVariables(text);
    templates.push({ request, baseDirectory, template: { components: remoteKeys(template), variables } });
    if (template !== undefined) read.push({ kraftfile: template, folder: fetched.folder });
    return fetched.folder;
  };
  try {
    const merged = await applyTemplates(kraftfile, folder, fetch, readTemplate);
    return { components: [...componentNeeds(merged.kraftfile, folder), ...templates], faults: new Map() };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const fetched = templates.filter(({ request }) => componentKey(request) !== latest);
    return { components: [...placedParts(read), ...fetched], faults: new Map([[latest, error as Fault]]) };
  }
}

/**
 * What is known of the parts of a Kraftfile and its templates, the outermost first, whose names go before those of inner
 * ones. A part without a place is left out: a template that could not be had may say where it is.
 */
function placedParts(read: readonly Placed[]): LockNeeds['components'] {
  const parts = new Map<string, PlacedRequest>();
  for (const { kraftfile, folder } of read) {
    for (const part of componentNeeds(kraftfile, folder)) {
      const { type, name, source, version } = part.request;
      const key = `${type} ${name}`;
      const isPlaced = source !== undefined || version !== undefined;
      if (type !== 'template' && isPlaced && !parts.has(key)) parts.set(key, part);
    }
  }
  return [...parts.values()];
}

function remoteKeys(kraftfile: Kraftfile | undefined): readonly string[] {
  const named = kraftfile === undefined ? [] : namedComponents(kraftfile);
  return named.flatMap(({ key, folder }) => (folder === undefined ? [key] : [])).toSorted();
}

/** The runtime, and the images that the root file system is made from, by their names in full. */
function imagesOf(
  folder: string,
  kraftfile: Kraftfile,
  variants: ReturnType<ProjectSettings['variants']>,
): Pick<FileNeeds, 'images' | 'faults'> {
  const { runtime } = kraftfile;
  const faults = new Map<string, Fault>();
  const inFull = (name: string, fullName: (name: string) => string): readonly string[] => {
    try {
      return [fullName(name)];
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      faults.set(name, error as Fault);
      return [];
    }
  };
  const runtimes = runtime?.reference === undefined ? [] : inFull(runtime.reference, runtimeImageName);
  const bases = new Set(rootfsImages(folder, kraftfile, variants));
  return { images: [...runtimes, ...[...bases].flatMap((name) => inFull(name, baseImageName))], faults };
}

function rootfsImages(
  folder: string,
  kraftfile: Kraftfile,
  variants: ReturnType<ProjectSettings['variants']>,
): readonly string[] {
  return filesystemRequests(filesystemsOf(kraftfile), plannedTargets(kraftfile), variants).flatMap((request) => {
    try {
      return rootfsInputs({ ...request, baseDirectory: folder }).images;
    } catch (error) {
      // A source that is not there, or cannot be read, names no images; the task that needs it tells of it.
      if (error instanceof Fault) return [];
      throw error;
    }
  });
}
