import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ComponentRequest,
  type FetchedComponent,
  type Store,
  type UpstreamFetcher,
  applyTemplates,
  fetchComponent,
  openStore,
  readUserIndexes,
  registerLock,
  resolveComponent,
  upstreamFetcher,
} from '@nx-kraft/components';
import type { KernelPlan } from '@nx-kraft/kernel';
import type { Kraftfile, LoadedKraftfile } from '@nx-kraft/kraftfile';
import { kraftfilesOfFolder } from '@nx-kraft/kraftfile/folder';
import { loadKraftfile } from '@nx-kraft/kraftfile/load';
import { type Kraftproject, ProjectFault } from './kraftproject.ts';
import { lockFileName } from './files.ts';
import { readWorkspaceLock, tellProgress } from './lock.ts';
import { type NetworkOptions, type NetworkRules, networkRules } from './network.ts';
import type { ComponentSource } from './used-components.ts';

/** The folders that a kernel is built from, and the Kraftfile with what its templates add to it. */
export interface KernelSources extends Pick<KernelPlan, 'core' | 'libraries' | 'application'> {
  readonly kraftfile: Kraftfile;
  /** How make gets what libraries fetch in their own rules. */
  readonly downloads: UpstreamFetcher;
  /** What the kernel is made of. */
  readonly components: readonly ComponentSource[];
}

/**
 * Finds the sources of a kernel, fetching those that the store does not have.
 *
 * @throws ProjectFault KRAFTFILE_NO_CORE, ComponentFault
 */
export async function fetchSources(
  workspaceRoot: string,
  project: Kraftproject,
  options: NetworkOptions,
  signal: AbortSignal,
): Promise<KernelSources> {
  const { file, folder } = project;
  const store = openStore();
  const rules = networkRules(options);
  const fetch = await componentFetcher(workspaceRoot, store, rules, signal);
  const fetchFolder = async (request: ComponentRequest, baseDirectory: string): Promise<string> =>
    (await fetch(request, baseDirectory)).folder;
  const { kraftfile, application } = await applyTemplates(project.kraftfile, folder, fetchFolder, readTemplate);
  const { unikraft, libraries } = kraftfile;
  if (unikraft === undefined) {
    throw new ProjectFault('KRAFTFILE_NO_CORE', 'it names no unikraft to build the kernel from', { at: file });
  }
  const [core, ...fetched] = await Promise.all([
    fetch({ type: 'core', ...unikraft }, folder),
    ...libraries.map(async (library) => ({
      name: library.name,
      ...(await fetch({ type: 'library', ...library }, folder)),
    })),
  ]);
  const downloads = upstreamFetcher(store, fetched, rules);
  const components = [{ name: 'unikraft', ...core }, ...fetched].map(sourceOf);
  return { kraftfile, core, application: application ?? folder, libraries: fetched, downloads, components };
}

type Fetch = (
  request: ComponentRequest,
  baseDirectory: string,
) => Promise<FetchedComponent & { readonly url?: string }>;

function sourceOf({
  name,
  folder,
  url,
  revision,
}: Awaited<ReturnType<Fetch>> & { readonly name: string }): ComponentSource {
  return { name, folder, ...(url === undefined ? {} : { url }), ...(revision === undefined ? {} : { revision }) };
}

async function componentFetcher(
  workspaceRoot: string,
  store: Store,
  rules: NetworkRules,
  signal: AbortSignal,
): Promise<Fetch> {
  const lock = await readWorkspaceLock(workspaceRoot);
  // What a lock needs is not pruned from the store.
  if (lock !== undefined) await registerLock(store, join(workspaceRoot, lockFileName));
  const indexes = await readUserIndexes();
  const options = { ...rules, signal, onProgress: tellProgress };
  return async (request, baseDirectory) => {
    const resolution = await resolveComponent(request, { store, lock, baseDirectory, indexes, ...options });
    const fetched = await fetchComponent(resolution, store, options);
    return resolution.kind === 'folder' ? fetched : { ...fetched, url: resolution.url };
  };
}

/** The Kraftfile of a template's folder; undefined when it has none. */
export async function readTemplate(folder: string): Promise<Kraftfile | undefined> {
  return (await loadTemplate(folder))?.kraftfile;
}

/** The same with what it was read from. */
export async function loadTemplate(folder: string): Promise<LoadedKraftfile | undefined> {
  const { default: name } = kraftfilesOfFolder(await readdir(folder));
  return name === undefined ? undefined : loadKraftfile(join(folder, name), process.env);
}
