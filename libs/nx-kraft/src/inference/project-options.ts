import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrorCode } from '@nx-kraft/base';

interface Targets {
  readonly [name: string]: { readonly options?: Readonly<Record<string, unknown>> } | undefined;
}

/**
 * The options that a project gives to an inferred task in its own `project.json` or `package.json`. Nx merges them
 * after inference; here they are needed for what the task's inputs follow from.
 */
export async function readTaskOptions(folder: string, task: string): Promise<Readonly<Record<string, unknown>>> {
  const project = await readJson<{ targets?: Targets }>(join(folder, 'project.json'));
  const manifest = await readJson<{ nx?: { targets?: Targets } }>(join(folder, 'package.json'));
  return { ...manifest?.nx?.targets?.[task]?.options, ...project?.targets?.[task]?.options };
}

async function readJson<T>(path: string): Promise<T | undefined> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  try {
    return JSON.parse(text) as T;
  } catch {
    // Nx allows comments in these files, and tells of real mistakes in them better than we could.
    const { parseJson } = await import('@nx/devkit');
    return parseJson(text) as T;
  }
}
