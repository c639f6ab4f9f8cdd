import {
  type ComponentType,
  type FetchedComponent,
  type Store,
  fetchComponent,
  openStore,
  resolveComponent,
} from '@nx-kraft/components';
import type { KernelPlan } from '@nx-kraft/kernel';
import type { Component } from '@nx-kraft/kraftfile';
import { type Kraftproject, ProjectFault } from './kraftproject.ts';
import { tell } from './task.ts';

/** The folders that a kernel is built from. */
export type KernelSources = Pick<KernelPlan, 'core' | 'libraries' | 'application'>;

/**
 * Finds the sources of a kernel, fetching those that the store does not have.
 *
 * @throws ProjectFault KRAFTFILE_NO_CORE, ComponentFault
 */
export async function fetchSources(project: Kraftproject, signal: AbortSignal): Promise<KernelSources> {
  const { file, folder, kraftfile } = project;
  const { unikraft, libraries, template } = kraftfile;
  if (unikraft === undefined) {
    throw new ProjectFault('KRAFTFILE_NO_CORE', 'it names no unikraft to build the kernel from', { at: file });
  }
  const store = openStore();
  const fetch = (type: ComponentType, component: Component) => fetchOne(store, folder, type, component, signal);
  const [core, application, ...fetched] = await Promise.all([
    fetch('core', unikraft),
    template === undefined ? { folder } : fetch('template', template),
    ...libraries.map(async (library) => ({ name: library.name, ...(await fetch('library', library)) })),
  ]);
  return { core, application: application.folder, libraries: fetched };
}

async function fetchOne(
  store: Store,
  baseDirectory: string,
  type: ComponentType,
  component: Component,
  signal: AbortSignal,
): Promise<FetchedComponent> {
  const progress = { signal, onProgress: ({ message }: { message: string }) => tell(message) };
  const resolution = await resolveComponent({ type, ...component }, { store, baseDirectory, ...progress });
  return fetchComponent(resolution, store, progress);
}
