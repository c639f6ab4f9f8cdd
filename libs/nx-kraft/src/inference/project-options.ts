import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Disk } from './disk.ts';

interface Targets {
  readonly [name: string]: { readonly options?: Readonly<Record<string, unknown>> } | undefined;
}

/** What a project itself says to Nx, in its `project.json` or `package.json`. */
export interface ProjectSettings {
  /** The options that it gives to an inferred task: Nx merges them after inference, while here inputs follow from them. */
  readonly options: (task: string) => Readonly<Record<string, unknown>>;
  /** The projects that it declares to depend on; patterns that exclude others are left out. */
  readonly declared: readonly string[];
}

interface Settings {
  readonly targets?: Targets;
  readonly implicitDependencies?: readonly string[];
}

/** Reads the settings of the project in a folder. */
export async function readProjectSettings(folder: string, disk: Disk): Promise<ProjectSettings> {
  const project = await readJson<Settings>(join(folder, 'project.json'), disk);
  const manifest = (await readJson<{ nx?: Settings }>(join(folder, 'package.json'), disk))?.nx;
  const declared = [...(manifest?.implicitDependencies ?? []), ...(project?.implicitDependencies ?? [])];
  return {
    options: (task) => ({ ...manifest?.targets?.[task]?.options, ...project?.targets?.[task]?.options }),
    declared: declared.filter((name) => !name.startsWith('!')),
  };
}

async function readJson<T>(path: string, disk: Disk): Promise<T | undefined> {
  if (!disk.hasFile(path)) return undefined;
  const text = readFileSync(path, 'utf8');
  try {
    return JSON.parse(text) as T;
  } catch {
    // Nx allows comments in these files, and tells of real mistakes in them better than we could.
    const { parseJson } = await import('@nx/devkit');
    return parseJson(text) as T;
  }
}
