import { hash } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { dataFile, readIfThere, writeWhole } from './workspace-data.ts';

/** What one entry of the plugin in `nx.json` keeps. */
interface OfEntry {
  /** Those that it looked at, relative to the workspace. */
  readonly kraftfiles: readonly string[];
}

/**
 * What inference keeps for commands that infer nothing. Entries of the plugin in `nx.json` that take some folders each infer
 * apart from each other, so each keeps a file of its own.
 */
export class EntryFiles<T> {
  readonly #folder: string;

  /** @param name  of the folder with these files among Nx's data on the workspace */
  constructor(workspaceRoot: string, name: string) {
    this.#folder = dataFile(workspaceRoot, name);
  }

  /** @param kraftfiles  those that were looked at, relative to the workspace */
  keep(kraftfiles: readonly string[], found: T): void {
    const sorted = kraftfiles.toSorted();
    const [first] = sorted;
    if (first === undefined) return;
    const own = fileName(first);
    const file = join(this.#folder, own);
    const text = JSON.stringify({ ...found, kraftfiles: sorted });
    if (readIfThere(file) !== text) writeWhole(file, text);
    // What was found when another Kraftfile was the first, which may be gone now.
    const taken = new Set(kraftfiles);
    for (const [name, other] of this.#read(own)) {
      if (other.kraftfiles.some((one) => taken.has(one))) rmSync(join(this.#folder, name), { force: true });
    }
  }

  forget(kraftfiles: readonly string[]): void {
    const [first] = kraftfiles.toSorted();
    if (first !== undefined) rmSync(join(this.#folder, fileName(first)), { force: true });
  }

  /** By the names of the files. There are none before the first graph of the workspace. */
  all(): readonly (T & OfEntry)[] {
    return this.#read().map(([, found]) => found);
  }

  /** @param own  one that is not read */
  #read(own?: string): readonly (readonly [name: string, found: T & OfEntry])[] {
    const names = existsSync(this.#folder) ? readdirSync(this.#folder) : [];
    const others = names.filter((name) => name.endsWith('.json') && name !== own);
    return others.flatMap((name) => {
      const text = readIfThere(join(this.#folder, name));
      return text === undefined ? [] : [[name, JSON.parse(text) as T & OfEntry] as const];
    });
  }
}

/** No two entries take the same Kraftfile, so that its first one tells an entry from others. */
function fileName(kraftfile: string): string {
  return `${hash('sha256', kraftfile).slice(0, 16)}.json`;
}
