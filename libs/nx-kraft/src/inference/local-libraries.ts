import { join, posix } from 'node:path';
import type { ProjectConfiguration } from '@nx/devkit';
import type { Disk } from './disk.ts';
import { rootAround } from './neighbours.ts';

/**
 * Projects for the folders of local components that have none, so that they are seen in the graph: neither a Kraftfile
 * nor a `project.json`, and not in the folder of another project, from whose files Nx would take theirs away. Their names
 * are made from their paths, since Nx refuses a workspace in which two projects share a name.
 *
 * @param roots  the folders of all Kraftfiles
 */
export function localLibraries(
  disk: Disk,
  folders: readonly string[],
  roots: ReadonlyMap<string, unknown>,
): Readonly<Record<string, Omit<ProjectConfiguration, 'root'>>> {
  const isProject = (folder: string): boolean =>
    ['project.json', 'package.json'].some((file) => disk.has(join(disk.workspaceRoot, folder, file)));
  const own = [...new Set(folders)].filter(
    (folder) =>
      rootAround(folder, roots) === undefined &&
      ![...roots.keys()].some((root) => root.startsWith(`${folder}/`)) &&
      folder !== '.' &&
      !disk.has(join(disk.workspaceRoot, folder, 'project.json')) &&
      !ancestors(folder).some(isProject) &&
      disk.stats(join(disk.workspaceRoot, folder)) !== undefined,
  );
  return Object.fromEntries(
    own.toSorted().map((folder) => [
      folder,
      {
        name: folder.replaceAll(/[^\w.-]+/g, '-'),
        projectType: 'library',
        metadata: { technologies: ['unikraft'], description: `Component of Unikraft in ${folder}` },
      },
    ]),
  );
}

/** The folders around one, without the workspace's own. */
function ancestors(folder: string): readonly string[] {
  const parent = posix.dirname(folder);
  return parent === '.' ? [] : [parent, ...ancestors(parent)];
}
