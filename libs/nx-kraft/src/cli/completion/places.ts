import type { Group, Leaf, Option } from '../command.ts';
import { type Found, subcommandsOf } from '../find-command.ts';

/** One place on the command line, behind the name of a command, with what may stand there. */
export interface Place {
  /** The words that lead here, each behind a space: none at first, ` pkg ls` behind two. */
  readonly path: string;
  /** Names of commands with what they do. */
  readonly commands: readonly (readonly [name: string, summary: string])[];
  readonly options: readonly (readonly [name: string, option: Option])[];
  readonly words: Kind;
}

/** What can be offered for a word or the value of an option. */
export type Kind = 'files' | 'folders' | 'nothing';

const helpOption = ['help', { type: 'boolean', short: 'h', summary: 'explains the command' }] as const;

/** All places of a command line, from the description of its commands. */
export async function placesOf({ path, summary, command }: Found): Promise<readonly Place[]> {
  // Without the name of the program.
  const words = path.replace(/^\S+/, '');
  if ('run' in command) return [leafPlace(words, command)];
  const below = await Promise.all((await subcommandsOf({ path, summary, command })).map(placesOf));
  return [groupPlace(words, command), ...below.flat()];
}

function leafPlace(path: string, { arguments: words, options }: Leaf): Place {
  return { path, commands: [], options: [...Object.entries(options), helpOption], words: kindOf(words) };
}

function groupPlace(path: string, { commands }: Group): Place {
  const named = Object.entries(commands).map(([name, { summary }]) => [name, summary] as const);
  return { path, commands: named, options: [helpOption], words: 'nothing' };
}

/** What is meant by the names that help gives to words and values. */
export function kindOf(name = ''): Kind {
  if (/FILE|PATH|SOURCE|INDEX/.test(name)) return 'files';
  return /DIR/.test(name) ? 'folders' : 'nothing';
}
