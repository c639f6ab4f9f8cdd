import { nearestWord } from '@nx-kraft/base';
import type { Command, Entry, Group } from './command.ts';
import { UsageFault } from './usage-fault.ts';
import { elsewhere } from './elsewhere.ts';

/** A command with how it is called. */
export interface Found<C extends Command = Command> {
  /** The words that call it, with the program's name: `nx-kraft pkg ls`. */
  readonly path: string;
  readonly summary: string;
  readonly command: C;
}

/**
 * Goes from a command to the one below it that words name.
 *
 * @returns that command, and the words behind its name
 * @throws {@link UsageFault} for a name that no command has, with the one that is meant where that can be told
 */
export async function findCommand(
  from: Found,
  words: readonly string[],
): Promise<{ readonly found: Found; readonly rest: readonly string[] }> {
  const [word, ...rest] = words;
  if (!('commands' in from.command) || word === undefined || word.startsWith('-')) return { found: from, rest: words };
  const named = findEntry(from.command, word);
  if (named === undefined) throw unknownCommand(from.path, from.command, word);
  const [name, entry] = named;
  const found = { path: `${from.path} ${name}`, summary: entry.summary, command: await entry.load() };
  return findCommand(found, rest);
}

/** The commands right below a group, in the order of its table, each loaded. */
export function subcommandsOf({ path, command }: Found<Group>): Promise<readonly Found[]> {
  const entries = Object.entries(command.commands);
  return Promise.all(
    entries.map(async ([name, { summary, load }]) => ({ path: `${path} ${name}`, summary, command: await load() })),
  );
}

function findEntry({ commands }: Group, word: string): readonly [string, Entry] | undefined {
  return Object.entries(commands).find(([name, { aliases = [] }]) => name === word || aliases.includes(word));
}

function unknownCommand(path: string, { commands }: Group, word: string): UsageFault {
  const called = `${path} ${word}`;
  const instead = Object.hasOwn(elsewhere, called) ? elsewhere[called] : undefined;
  const known = Object.entries(commands).flatMap(([name, { aliases = [] }]) => [name, ...aliases]);
  const near = nearestWord(word, known);
  const hint =
    instead ?? (near === undefined ? `${path} --help lists the commands.` : `Did you mean '${path} ${near}'?`);
  return new UsageFault(`there is no command '${called}'`, hint);
}
