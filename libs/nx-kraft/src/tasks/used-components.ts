import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrorCode, replaceAtomically } from '@nx-kraft/base';
import { findLicence, isLicence } from '@nx-kraft/components/licence';
import type { Target } from '@nx-kraft/kraftfile';
import { outputNames } from '@nx-kraft/kraftfile/outputs';
import { type Kraftproject, plannedTargets } from './kraftproject.ts';

/** A source tree that went into a kernel. */
export interface UsedComponent {
  readonly name: string;
  /** Where it came from; absent for a local folder. */
  readonly url?: string;
  /** Its commit. */
  readonly revision?: string;
  /** Its SPDX name, so far as its files tell. */
  readonly licence?: string;
}

/** A component with the folder of its sources. */
export interface ComponentSource extends Omit<UsedComponent, 'licence'> {
  readonly folder: string;
}

/** Keeps beside a kernel what it was made of, for those who only get the kernel from a cache. */
export async function writeUsedComponents(
  { kraftfile, folder }: Kraftproject,
  target: Target,
  sources: readonly ComponentSource[],
): Promise<void> {
  const components = sources.map(({ folder: tree, ...component }): UsedComponent => {
    // Documents of local folders are no inputs of kernels, but for licences.
    const isRead = (name: string): boolean => component.url !== undefined || !name.endsWith('.md') || isLicence(name);
    const licence = findLicence(tree, isRead);
    return { ...component, ...(licence === undefined ? {} : { licence }) };
  });
  const path = join(folder, outputNames(kraftfile, target).components);
  await replaceAtomically(path, (temporary) => writeFile(temporary, JSON.stringify(components)));
}

/** The components of all kernels of a project that were built from source, each once. */
export async function readUsedComponents({ kraftfile, folder }: Kraftproject): Promise<readonly UsedComponent[]> {
  const found = new Map<string, UsedComponent>();
  for (const target of plannedTargets(kraftfile)) {
    const path = join(folder, outputNames(kraftfile, target).components);
    for (const component of await read(path)) found.set(JSON.stringify(component), component);
  }
  return [...found.values()];
}

/** A runtime's kernel has no list. */
async function read(path: string): Promise<readonly UsedComponent[]> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as readonly UsedComponent[];
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return [];
    throw error;
  }
}
