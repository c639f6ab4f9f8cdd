import { dirname, posix, relative, resolve, sep } from 'node:path';
import type { ExecutorContext, NxJsonConfiguration } from '@nx/devkit';
import { buildFolder, type RootfsInputs, touchedSince } from '@nx-kraft/rootfs';
import { uniqueReadings } from '@nx-kraft/rootfs/left-out';
import { dataFile } from '../inference/workspace-data.ts';
import { beganVariable } from './began.ts';
import { ProjectFault } from './kraftproject.ts';

/** Makes sure that a task's sources are those that its key was made from. */
export interface SourceGuard {
  /**
   * @param folder  where the globs of the inputs start; absolute
   * @throws ProjectFault SOURCE_CHANGED
   */
  check(folder: string, inputs: readonly RootfsInputs[]): void;
}

/**
 * Nx keeps a result under the key that it made before, and gives it to whoever has the old sources again. So a task whose
 * sources were changed since may not end well. What tasks before it have written is there by then, and not all of them say
 * what they write: then only the time counts that the task itself takes.
 */
export function guardSources({
  root,
  projectName,
  targetName,
  configurationName,
  taskGraph,
  nxJsonConfiguration,
}: ExecutorContext): SourceGuard {
  const id = [projectName, targetName, configurationName].filter((part) => part !== undefined).join(':');
  const isFirst = taskGraph?.dependencies[id]?.length === 0;
  const began = isFirst ? Number(process.env[beganVariable] ?? Date.now()) : Date.now();
  const results = new Set(Object.values(taskGraph?.tasks ?? {}).flatMap(({ outputs }) => outputs));
  // What holds a whole workspace, and leaves out nothing of what Nx and builds write, has another key each time anyway.
  const folders = foldersOfNx(root, nxJsonConfiguration);
  const isWrittenAnyTime = (path: string): boolean =>
    results.has(path) || folders.has(path) || path.split('/').includes(buildFolder);
  return {
    check: (folder, inputs) => {
      const own = relative(root, folder).split(sep).join('/');
      const isResult = (path: string): boolean => isWrittenAnyTime(posix.join(own, path));
      const readings = inputs.flatMap(({ files, excluded, besides }) => [{ files, excluded }, ...besides]);
      for (const reading of uniqueReadings(readings)) {
        const path = touchedSince(folder, reading, began, isResult);
        if (path !== undefined) throw changed(posix.join(own, path));
      }
    },
  };
}

/** Where Nx keeps its cache and what it knows of the workspace, relative to that. */
function foldersOfNx(root: string, { cacheDirectory = '.nx/cache' }: NxJsonConfiguration): ReadonlySet<string> {
  const cache = resolve(root, process.env.NX_CACHE_DIRECTORY ?? cacheDirectory);
  const data = dirname(dataFile(root, 'any'));
  return new Set(['.nx', ...[cache, data].map((folder) => relative(root, folder).split(sep).join('/'))]);
}

function changed(path: string): ProjectFault {
  return new ProjectFault(
    'SOURCE_CHANGED',
    'it was changed while this ran, and the cache would have what was made of it for what was there before',
    { at: path, hint: 'Run it again. If another task writes it, let this one depend on that task.' },
  );
}
