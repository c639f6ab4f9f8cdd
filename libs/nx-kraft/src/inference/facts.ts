import { statSync } from 'node:fs';
import { dirname, join, posix, relative, resolve, sep } from 'node:path';
import type { Summary } from './summary.ts';

/** What inference must look up on the disk. Paths are relative to the workspace, with `/`. */
export interface Facts {
  /** Whether the application has build files for Unikraft, and so sources of its own in the kernel. */
  readonly hasMakefile: boolean;
  /** Folders of components that lie in the workspace. */
  readonly localComponents: readonly string[];
  /** Whether a component is a folder outside of the workspace, whose changes no cache key can see. */
  readonly reachesOutside: boolean;
  /** The root file system's source; undefined when there is none, or when it is no path in this workspace. */
  readonly rootfs: { readonly path: string; readonly isFolder: boolean } | undefined;
}

/** Looks at what a Kraftfile names. This happens for each Kraftfile on each command: a few `stat` at the most. */
export function lookAround(workspaceRoot: string, kraftfile: string, summary: Summary): Facts {
  const folder = resolve(workspaceRoot, dirname(kraftfile));
  const inWorkspace = (path: string): string | undefined => {
    const inside = relative(workspaceRoot, resolve(folder, path)).split(sep).join('/');
    return inside.startsWith('../') || inside === '..' ? undefined : posix.normalize(inside);
  };
  const local = summary.components.flatMap(({ source }) => (source !== undefined && isPath(source) ? [source] : []));
  const components = local.map(inWorkspace);
  const rootfs = summary.rootfs === undefined ? undefined : inWorkspace(summary.rootfs.source);
  const rootfsStats = rootfs === undefined ? undefined : stat(join(workspaceRoot, rootfs));
  return {
    hasMakefile: stat(join(folder, 'Makefile.uk')) !== undefined,
    localComponents: components.filter((path) => path !== undefined),
    reachesOutside: components.includes(undefined),
    rootfs:
      rootfs === undefined || rootfsStats === undefined
        ? undefined
        : { path: rootfs, isFolder: rootfsStats.isDirectory() },
  };
}

/** Whether a component's source is a folder, and neither a URL nor `git@host:path`. */
function isPath(source: string): boolean {
  return !source.includes('://') && !/^[^/]+@[^/]+:/.test(source);
}

function stat(path: string) {
  return statSync(path, { throwIfNoEntry: false });
}
