import { readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { hasErrorCode, replaceAtomically } from '@nx-kraft/base';
import { ComponentFault } from './fault.ts';
import { defaultIndex, type IndexOptions, loadIndex } from './indexes.ts';
import { hideCredentials, looksLikeUrl } from './url.ts';

/** Where the user's indexes are noted, once they are others than KraftKit's: `nx-kraft/indexes.json` in XDG_CONFIG_HOME or `~/.config`. */
export function userIndexesFile(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const config = environment.XDG_CONFIG_HOME || join(environment.HOME || homedir(), '.config');
  return join(config, 'nx-kraft', 'indexes.json');
}

/**
 * The user's indexes in the order in which they are asked; KraftKit's alone before any was added or removed.
 *
 * @throws ComponentFault COMPONENT_BAD_INDEX when the file is damaged
 */
export async function readUserIndexes(file = userIndexesFile()): Promise<readonly string[]> {
  try {
    const data = JSON.parse(await readFile(file, 'utf8')) as unknown;
    if (Array.isArray(data) && data.every((index) => typeof index === 'string')) return data;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return [defaultIndex];
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new ComponentFault('COMPONENT_BAD_INDEX', 'it is no JSON list of addresses', {
    at: file,
    hint: 'Correct or delete it.',
  });
}

/**
 * Adds an index (URL or path of an `index.yaml`, or git URL of one component) before all others, if it can be read.
 * Credentials are kept in the file, which only the user may read, and nowhere else.
 *
 * @throws ComponentFault COMPONENT_BAD_INDEX, COMPONENT_NOT_FOUND, COMPONENT_UNREACHABLE
 */
export async function addIndex(index: string, options: IndexOptions, file = userIndexesFile()): Promise<void> {
  const address = looksLikeUrl(index) ? index : resolve(index);
  await loadIndex(address, options);
  const others = (await readUserIndexes(file)).filter((other) => other !== address);
  await writeIndexes(file, [address, ...others]);
}

/**
 * Takes an index away, which may be KraftKit's own.
 *
 * @throws ComponentFault COMPONENT_NOT_FOUND when it is not among the user's
 */
export async function removeIndex(index: string, file = userIndexesFile()): Promise<void> {
  const indexes = await readUserIndexes(file);
  const rest = indexes.filter(
    (other) => ![other, hideCredentials(other)].some((name) => [index, resolve(index)].includes(name)),
  );
  if (rest.length === indexes.length) {
    throw new ComponentFault('COMPONENT_NOT_FOUND', `${hideCredentials(index)} is none of your indexes`, {
      hint: `There is: ${indexes.map(hideCredentials).join(', ') || 'none'}`,
    });
  }
  await writeIndexes(file, rest);
}

async function writeIndexes(file: string, indexes: readonly string[]): Promise<void> {
  const text = `${JSON.stringify(indexes, undefined, 2)}\n`;
  await replaceAtomically(file, (path) => writeFile(path, text, { mode: 0o600 }), { durable: true });
}
