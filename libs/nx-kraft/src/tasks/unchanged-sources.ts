import { posix, relative, sep } from 'node:path';
import type { ExecutorContext } from '@nx/devkit';
import { type RootfsInputs, touchedSince } from '@nx-kraft/rootfs';
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
}: ExecutorContext): SourceGuard {
  const id = [projectName, targetName, configurationName].filter((part) => part !== undefined).join(':');
  const isFirst = taskGraph?.dependencies[id]?.length === 0;
  const began = isFirst ? Number(process.env[beganVariable] ?? Date.now()) : Date.now();
  const results = Object.values(taskGraph?.tasks ?? {}).flatMap(({ outputs }) => outputs);
  return {
    check: (folder, inputs) => {
      const own = relative(root, folder).split(sep).join('/');
      const isResult = (path: string): boolean => results.includes(posix.join(own, path));
      for (const { files, excluded, besides } of inputs) {
        for (const reading of [{ files, excluded }, ...besides]) {
          const path = touchedSince(folder, reading, began, isResult);
          if (path !== undefined) throw changed(posix.join(own, path));
        }
      }
    },
  };
}

function changed(path: string): ProjectFault {
  return new ProjectFault(
    'SOURCE_CHANGED',
    'it was changed while this ran, and the cache would have what was made of it for what was there before',
    { at: path, hint: 'Run it again. If another task writes it, let this one depend on that task.' },
  );
}
