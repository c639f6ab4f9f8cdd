import { dirname, posix, relative, resolve, sep } from 'node:path';
import type { ExecutorContext, NxJsonConfiguration } from '@nx/devkit';
import type { RootfsInputs } from '@nx-kraft/rootfs';
import { buildFolder } from '@nx-kraft/rootfs/build-folder';
import { uniqueReadings } from '@nx-kraft/rootfs/left-out';
import { type ReadEntry, readEntries } from '@nx-kraft/rootfs/touched';
import { dataFile } from '../inference/workspace-data.ts';
import { beganVariable } from './began.ts';
import { KnownFiles } from './known-files.ts';
import { changed } from './source-changed.ts';

/** Makes sure that a task's sources are those that its key was made from. */
export interface SourceGuard {
  /** Whether Nx keeps the result under that key. */
  readonly isCached: boolean;
  /**
   * @param folder  where the globs of the inputs start; absolute
   * @throws ProjectFault SOURCE_CHANGED
   */
  check(folder: string, inputs: readonly RootfsInputs[]): Promise<void>;
}

/**
 * Nx keeps a result under the key that it made before, and gives it to whoever has the old sources again. So a task whose
 * sources were changed since may not end well.
 */
export function guardSources(context: ExecutorContext): SourceGuard {
  const { root, projectName = '', targetName = '', projectsConfigurations } = context;
  const { isTouched, isWrittenAnyTime } = keyOf(context);
  return {
    isCached: projectsConfigurations.projects[projectName]?.targets?.[targetName]?.cache === true,
    check: async (folder, inputs) => {
      const own = relative(root, folder).split(sep).join('/');
      const isResult = (path: string): boolean => isWrittenAnyTime(posix.join(own, path));
      const readings = inputs.flatMap(({ files, excluded, filtered, besides }) => [
        { files, excluded },
        ...filtered,
        ...besides,
      ]);
      for (const reading of uniqueReadings(readings)) {
        for (const { path, stats } of readEntries(folder, reading, isResult)) {
          const place = posix.join(own, path);
          if (await isTouched({ path: place, stats })) throw changed(place);
        }
      }
    },
  };
}

/** What a task's key has to do with what is touched. */
export interface TaskKey {
  /**
   * Whether something was touched since the key was made: times of changes count, which nobody can set. Of a task that waits for
   * others, these may have written anything until it starts, and not all of them say what they write: where they left files
   * that Nx knows as it knows them, these are none the less what the key was made from.
   *
   * @param entry  with its path relative to the workspace
   */
  readonly isTouched: (entry: ReadEntry) => Promise<boolean>;
  /** Whether a path, relative to the workspace, is a result of the command's tasks, or another that builds and Nx write. */
  readonly isWrittenAnyTime: (path: string) => boolean;
}

export function keyOf({
  root,
  projectName,
  targetName,
  configurationName,
  taskGraph,
  nxJsonConfiguration,
}: ExecutorContext): TaskKey {
  const id = [projectName, targetName, configurationName].filter((part) => part !== undefined).join(':');
  const isFirst = taskGraph?.dependencies[id]?.length === 0;
  const results = new Set(Object.values(taskGraph?.tasks ?? {}).flatMap(({ outputs }) => outputs));
  // What holds a whole workspace, and leaves out nothing of what Nx and builds write, has another key each time anyway.
  const folders = foldersOfNx(root, nxJsonConfiguration);
  // When Nx makes its own folders, what they lie in has other names than before.
  const holdsNx = (path: string): boolean => path === '.' || [...folders].some((one) => one.startsWith(`${path}/`));
  const known = new KnownFiles(root);
  const start = Date.now();
  const began = Number(process.env[beganVariable] ?? start);
  return {
    isTouched: async ({ path, stats }) => {
      if (stats.ctimeMs <= began || (stats.isDirectory() && holdsNx(path))) return false;
      return isFirst || stats.ctimeMs > start || (!stats.isDirectory() && !(await known.isAsRead(path)));
    },
    isWrittenAnyTime: (path) => results.has(path) || folders.has(path) || path.split('/').includes(buildFolder),
  };
}

/** Where Nx keeps its cache and what it knows of the workspace, relative to that. */
function foldersOfNx(root: string, { cacheDirectory = '.nx/cache' }: NxJsonConfiguration): ReadonlySet<string> {
  const cache = resolve(root, process.env.NX_CACHE_DIRECTORY ?? cacheDirectory);
  const data = dirname(dataFile(root, 'any'));
  return new Set(['.nx', ...[cache, data].map((folder) => relative(root, folder).split(sep).join('/'))]);
}
