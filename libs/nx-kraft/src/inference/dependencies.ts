import type {
  CreateDependenciesContext,
  DependencyType,
  ProjectConfiguration,
  RawProjectGraphDependency,
} from '@nx/devkit';
import { rootAround } from './neighbours.ts';

// The enum itself would load all of Nx's devkit, some 400 modules, for each command that makes a graph.
const implicit = 'implicit' as DependencyType.implicit;

/** What a project of a Kraftfile depends on, as its metadata have it. */
export interface Dependencies {
  /** Names of external nodes. */
  readonly external: readonly string[];
  /** Folders in the workspace. */
  readonly folders: readonly string[];
}

/**
 * The edges from the projects of Kraftfiles to their components and images, and to the projects in whose folders local
 * ones lie. They are worked out anew each time, and so bound to no file: what other projects are called or pack is not
 * said in the Kraftfile.
 */
export function kraftDependencies({
  projects,
  externalNodes = {},
}: Pick<CreateDependenciesContext, 'projects' | 'externalNodes'>): RawProjectGraphDependency[] {
  const roots = new Map(Object.entries(projects).map(([name, { root }]) => [root, name]));
  return Object.entries(projects).flatMap(([source, project]) => {
    const { external, folders } = dependenciesOf(project);
    const local = folders.flatMap((folder) => {
      const root = rootAround(folder, roots);
      // The project of the workspace's own folder is around all others, and nobody means it.
      return root === undefined || (root === '.' && folder !== '.') ? [] : (roots.get(root) ?? []);
    });
    const targets = new Set([...external.filter((node) => node in externalNodes), ...local]);
    targets.delete(source);
    return [...targets].map((target) => ({ source, target, type: implicit }));
  });
}

function dependenciesOf({ metadata }: ProjectConfiguration): Dependencies {
  const known = metadata?.kraft as Dependencies | undefined;
  return known ?? { external: [], folders: [] };
}
