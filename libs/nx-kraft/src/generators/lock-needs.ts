import { basename, dirname, join } from 'node:path';
import type { Tree } from '@nx/devkit';
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
import { type Kraftfile, readKraftfile } from '@nx-kraft/kraftfile';
import { RegistryClient, Repository, parseReference } from '@nx-kraft/oci';
import { RootfsFault, rootfsInputs } from '@nx-kraft/rootfs';
import { readTaskOptions } from '../inference/project-options.ts';
import { lockFileName } from '../tasks/files.ts';
import { plannedTargets } from '../tasks/kraftproject.ts';
import { networkRules } from '../tasks/network.ts';
import { baseImageName, componentNeeds, runtimeImageName } from '../tasks/needs.ts';
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
  const client = new RegistryClient(rules);
  return {
    store: openStore(),
    indexes: await readUserIndexes(),
    offline: rules.offline,
    resolveDigest: async (name) => {
      const reference = parseReference(name);
      const { descriptor } = await new Repository(client, reference).resolve(reference.tag ?? 'latest');
      return descriptor.digest;
    },
    onProgress: ({ message }) => process.stderr.write(`${message}\n`),
  };
}

/** Everything that the Kraftfiles of a workspace, their templates and their Dockerfiles name. */
export async function gatherNeeds(tree: Tree, lock: Lock | undefined, options: LockOptions): Promise<LockNeeds> {
  const files = await findKraftfiles(tree);
  const needs = await Promise.all(files.map((file) => needsOf(tree, file, lock, options)));
  return {
    components: needs.flatMap(({ components }) => components),
    images: [...new Set(needs.flatMap(({ images }) => images))],
  };
}

async function needsOf(tree: Tree, file: string, lock: Lock | undefined, rules: LockOptions): Promise<LockNeeds> {
  const folder = join(tree.root, dirname(file));
  const directoryName = basename(folder);
  const { kraftfile } = readKraftfile(tree.read(file, 'utf8') ?? '', { file, directoryName, env: process.env });
  // A file that cannot be read names nothing; its own tasks tell what is wrong with it.
  if (kraftfile === undefined) return { components: [], images: [] };
  const templates: PlacedRequest[] = [];
  const fetch = async (request: ComponentRequest, baseDirectory: string): Promise<string> => {
    templates.push({ request, baseDirectory });
    const options = { ...rules, lock, baseDirectory };
    return (await fetchComponent(await resolveComponent(request, options), options.store, options)).folder;
  };
  const merged = await applyTemplates(kraftfile, folder, fetch, readTemplate);
  return {
    components: [...componentNeeds(merged.kraftfile, folder), ...templates],
    images: await imagesOf(folder, kraftfile),
  };
}

/** The runtime, and the images that the root file system is made from, by their names in full. */
async function imagesOf(folder: string, kraftfile: Kraftfile): Promise<readonly string[]> {
  const { runtime, rootfs } = kraftfile;
  const runtimes = runtime?.reference === undefined ? [] : [runtimeImageName(runtime.reference)];
  if (rootfs === undefined) return runtimes;
  try {
    const options = await readTaskOptions(folder, 'rootfs');
    const architecture = plannedTargets(kraftfile)[0]?.architecture;
    const inputs = rootfsInputs({ ...rootfs, architecture, ...options, baseDirectory: folder });
    return [...runtimes, ...inputs.images.map(baseImageName)];
  } catch (error) {
    // A source that is not there names no images; the task that needs it tells of it.
    if (error instanceof RootfsFault) return runtimes;
    throw error;
  }
}
