import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Summary } from './summary.ts';

/** Summaries of Kraftfiles by a digest of whatever they were made from. */
type Entries = Map<string, Summary>;

/** What each workspace's summaries were when they were last read or saved; Nx's daemon keeps this module loaded. */
const remembered = new Map<string, Entries>();

/**
 * Runs `infer` with a function that gives summaries, remembered in memory and on disk: a command that finds no changed
 * Kraftfile parses nothing, and does not even load the parser. Summaries that were not asked for are forgotten.
 */
export async function withSummaries<T>(
  workspaceRoot: string,
  infer: (summaryOf: (ingredients: readonly string[], make: () => Promise<Summary>) => Promise<Summary>) => Promise<T>,
): Promise<T> {
  const file = resolve(workspaceRoot, process.env.NX_WORKSPACE_DATA_DIRECTORY ?? '.nx/workspace-data', 'nx-kraft.json');
  const before = remembered.get(file) ?? readEntries(file);
  const used: Entries = new Map();
  const result = await infer(async (ingredients, make) => {
    const key = createHash('sha256').update(ingredients.join('\0')).digest('base64url');
    const summary = before.get(key) ?? (await make());
    used.set(key, summary);
    return summary;
  });
  remembered.set(file, used);
  if (used.size !== before.size || [...used.keys()].some((key) => !before.has(key))) writeEntries(file, used);
  return result;
}

/** A cache that cannot be read, for whatever reason, is one that is empty. */
function readEntries(file: string): Entries {
  if (process.env.NX_CACHE_PROJECT_GRAPH === 'false') return new Map();
  try {
    return new Map(JSON.parse(readFileSync(file, 'utf8')) as [string, Summary][]);
  } catch {
    return new Map();
  }
}

function writeEntries(file: string, entries: Entries): void {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, JSON.stringify([...entries]));
  renameSync(temporary, file);
}
