import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dataFile, writeWhole } from './workspace-data.ts';

/** What was worked out, by a digest of whatever it was worked out from. */
type Entries = Map<string, unknown>;

/** Gives what was made from exactly these ingredients before, else makes it. It must be plain JSON. */
export type Recall = <T>(ingredients: readonly string[], make: () => Promise<T>) => Promise<T>;

/** The entries of each workspace when they were last read or saved; Nx's daemon keeps this module loaded. */
const remembered = new Map<string, Entries>();

/**
 * Runs `infer` with a memory that lasts from command to command: one that finds no changed Kraftfile parses nothing,
 * and does not even load a parser. What was not asked for is forgotten.
 */
export async function withMemory<T>(workspaceRoot: string, infer: (recall: Recall) => Promise<T>): Promise<T> {
  const file = dataFile(workspaceRoot, 'nx-kraft.json');
  const before = remembered.get(file) ?? readEntries(file);
  const used: Entries = new Map();
  const result = await infer(async <R>(ingredients: readonly string[], make: () => Promise<R>): Promise<R> => {
    const key = hash('sha256', ingredients.join('\0'), 'base64url');
    const value = before.has(key) ? (before.get(key) as R) : await make();
    used.set(key, value);
    return value;
  });
  remembered.set(file, used);
  if (used.size !== before.size || [...used.keys()].some((key) => !before.has(key))) {
    writeWhole(file, JSON.stringify([...used]));
  }
  return result;
}

/** A cache that cannot be read, for whatever reason, is one that is empty. */
function readEntries(file: string): Entries {
  if (process.env.NX_CACHE_PROJECT_GRAPH === 'false') return new Map();
  try {
    return new Map(JSON.parse(readFileSync(file, 'utf8')) as [string, unknown][]);
  } catch {
    return new Map();
  }
}
