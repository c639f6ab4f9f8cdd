import { join, posix } from 'node:path';
import { Fault } from '@nx-kraft/base';
import type { TaskNames } from '../options.ts';
import type { Disk } from './disk.ts';
import type { Recall } from './memory.ts';
import type { PackedImage, Workspace } from './neighbours.ts';
import { assignProjectNames } from './project-names.ts';
import { type GivenTarget, type ProjectSettings, readProjectSettings } from './project-options.ts';
import type { Summary } from './summary.ts';

/** What all Kraftfiles of a workspace are, as far as they have to do with each other. */
export interface Survey extends Workspace {
  readonly settingsOf: (folder: string) => ProjectSettings;
}

/**
 * Looks at what projects are called and which images they pack. An image belongs to the workspace when the options of
 * `package` or `push` give it its name: the one that follows from the Kraftfile's, `unikraft.org/NAME:latest`, may just as
 * well mean the public image.
 *
 * @param found  by folders, relative to the workspace
 * @param defaults  what nx.json says of a task
 */
export async function surveyWorkspace(
  disk: Disk,
  found: ReadonlyMap<string, { readonly summary: Summary }>,
  names: TaskNames,
  recall: Recall,
  defaults: (task: string) => readonly GivenTarget[],
): Promise<Survey> {
  const projectNames = assignProjectNames(new Map([...found].map(([folder, { summary }]) => [folder, summary.name])));
  const settings = new Map<string, ProjectSettings>();
  const packedImages = new Map<string, PackedImage>();
  for (const [folder, { summary }] of found) {
    const project = projectNames.get(folder) ?? summary.name;
    const own = await readProjectSettings(join(disk.workspaceRoot, folder), disk, project, defaults);
    settings.set(folder, own);
    const given = givenNames(own, names);
    if (given.length === 0) continue;
    for (const name of await recall(['packed images', ...given], () => namesInFull(given))) {
      packedImages.set(name, { root: folder, project, layout: posix.join(folder, summary.image) });
    }
  }
  return {
    projectNames,
    packedImages,
    settingsOf: (folder) =>
      settings.get(folder) ?? { options: () => ({}), variants: () => [{}], declared: [], waits: () => false },
  };
}

/** By the names of `package` and `push`, and the first part of these with each of their `tags`. */
function givenNames({ options }: Pick<ProjectSettings, 'options'>, names: TaskNames): readonly string[] {
  const { name: packed } = options(names.package);
  return [names.package, names.push].flatMap((task) => {
    const { name = packed, tags } = options(task);
    if (typeof name !== 'string') return [];
    const more = Array.isArray(tags) ? tags.map((tag) => `${name.replace(/:[^:/]*$/, '')}:${String(tag)}`) : [];
    return [...(task === names.package || name !== packed ? [name] : []), ...more];
  });
}

/** The names in full that a project gives to the image that it packs. */
export async function packedImageNames(
  settings: Pick<ProjectSettings, 'options'>,
  names: TaskNames,
): Promise<readonly string[]> {
  return namesInFull(givenNames(settings, names));
}

async function namesInFull(given: readonly string[]): Promise<readonly string[]> {
  const { runtimeImageName } = await import('../tasks/needs.ts');
  return given.flatMap((name) => {
    try {
      return [runtimeImageName(name)];
    } catch (error) {
      // Of a name that is none its own task tells.
      if (error instanceof Fault) return [];
      throw error;
    }
  });
}
