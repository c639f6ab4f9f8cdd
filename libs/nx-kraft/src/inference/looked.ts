import { lstatSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { leadsNowhere, unlessNowhere } from '@nx-kraft/base';

/** What lay where on the disk when inference looked there: how to tell it again, by paths relative to the workspace. */
export interface Seen {
  /** Of folders that were listed and files that were read. */
  readonly contents: Readonly<Record<string, string>>;
  /** Of places where something was looked for. */
  readonly places: Readonly<Record<string, string>>;
}

/** Clocks of file systems are behind by some milliseconds, and what is touched twice within one tick has one time. */
const tick = 50;

/** Where one inference looks, for who asks later whether another one would find anything else. */
export class Looked {
  readonly #since = Date.now();
  readonly #contents = new Set<string>();
  readonly #places = new Set<string>();

  /** @param path  absolute, of a folder that is listed or a file that is read */
  contents(path: string): void {
    this.#contents.add(path);
  }

  /** @param path  absolute, where it counts what kind of thing is there, if any, and to what links on the way lead */
  place(path: string): void {
    this.#places.add(path);
  }

  seen(workspaceRoot: string): Seen {
    const places = [...this.#places].filter((path) => !this.#isKnownByFolder(path));
    const named = (paths: Iterable<string>, describe: (path: string) => string): Readonly<Record<string, string>> =>
      Object.fromEntries([...paths].toSorted().map((path) => [relative(workspaceRoot, path), describe(path)]));
    return {
      contents: named(this.#contents, (path) => stampOf(path, this.#since - tick)),
      places: named(places, placeOf),
    };
  }

  /** Whether a folder that was listed has another time once there is anything else at a path. */
  #isKnownByFolder(path: string): boolean {
    return this.#contents.has(dirname(path)) && unlessNowhere(() => lstatSync(path))?.isSymbolicLink() !== true;
  }
}

/** Whether all is as it was seen. */
export function isAsSeen(workspaceRoot: string, { contents, places }: Seen): boolean {
  const isSame = (found: Readonly<Record<string, string>>, describe: (path: string) => string): boolean =>
    Object.entries(found).every(([path, before]) => describe(join(workspaceRoot, path)) === before);
  return isSame(contents, stampOf) && isSame(places, placeOf);
}

/** The time of the last change, which nobody can set, and which file or folder it is. */
function stampOf(path: string, until = Infinity): string {
  const stats = unlessNowhere(() => statSync(path, { throwIfNoEntry: false }));
  if (stats === undefined) return '';
  // What was touched meanwhile may have been looked at before or after that.
  return stats.ctimeMs > until ? 'touched' : `${stats.ino} ${stats.ctimeMs}`;
}

function placeOf(path: string): string {
  try {
    const stats = statSync(path);
    return `${stats.isDirectory() ? 'folder' : stats.isFile() ? 'file' : 'other'} ${realpathSync.native(path)}`;
  } catch (error) {
    if (leadsNowhere(error)) return '';
    throw error;
  }
}
