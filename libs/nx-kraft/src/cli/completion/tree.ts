import type { Entry, Option } from '../command.ts';
import { type Found, subcommandsOf } from '../find-command.ts';

/** One place on the command line, with what may stand there. */
export interface Place {
  /** The words that lead here, each behind a space: `` at first, ` pkg ls` behind two. */
  readonly path: string;
  readonly commands: readonly (readonly [name: string, entry: Entry])[];
  readonly options: readonly (readonly [name: string, option: Option])[];
  readonly words: Kind;
}

/** What can be offered for a word: names of files, of folders, or nothing that is known here. */
export type Kind = 'files' | 'folders' | 'none';

/** Help, which every command has. */
const helpOption = ['help', { type: 'boolean', short: 'h', summary: 'explains the command' }] as const;

/** All places of a command line, from the description of its commands. */
export async function placesOf({ path, command, ...rest }: Found, depth = 0): Promise<readonly Place[]> {
  const words = path
    .split(' ')
    .slice(1)
    .map((word) => ` ${word}`);
  const here = { path: words.join(''), commands: [], options: [helpOption], words: 'none' as const };
  if ('run' in command) {
    const options = [...Object.entries(command.options), helpOption];
    return [{ ...here, options, words: kindOf(command.arguments.split(' ').at(-1) ?? '') }];
  }
  const below = await subcommandsOf({ path, command, ...rest });
  const places = await Promise.all(below.map((found) => placesOf(found, depth + 1)));
  return [{ ...here, commands: Object.entries(command.commands) }, ...places.flat()];
}

/** What the value of an option, or a word, is by its name in help. */
export function kindOf(name: string): Kind {
  if (/FILE|PATH|SOURCE|INDEX|CERTIFICATE/.test(name)) return 'files';
  return /DIR/.test(name) ? 'folders' : 'none';
}
