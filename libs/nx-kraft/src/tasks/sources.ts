import { resolve } from 'node:path';
import type { KernelPlan } from '@nx-kraft/kernel';
import type { Component } from '@nx-kraft/kraftfile';
import type { Kraftproject } from './kraftproject.ts';

/** The folders that a kernel is built from. */
export type KernelSources = Pick<KernelPlan, 'core' | 'libraries' | 'application'>;

export async function fetchSources(project: Kraftproject, signal: AbortSignal): Promise<KernelSources> {
  const { unikraft, libraries } = project.kraftfile;
  const local = ({ source }: Component) => ({ folder: resolve(project.folder, source ?? '') });
  return {
    core: local(unikraft ?? { name: 'unikraft', kconfig: {} }),
    libraries: libraries.map((library) => ({ name: library.name, ...local(library) })),
    application: project.folder,
  };
}
