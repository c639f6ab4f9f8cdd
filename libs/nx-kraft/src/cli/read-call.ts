import { parseArgs } from 'node:util';
import { hasErrorCode, nearestWord } from '@nx-kraft/base';
import type { Leaf, Option } from './command.ts';
import { UsageFault } from './usage-fault.ts';

/** What was written behind a command's name. */
export interface Call {
  readonly values: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;
  readonly words: readonly string[];
}

/**
 * Reads what is written behind a command's name, by the command's own description.
 *
 * @throws {@link UsageFault} for options that it does not have, values that they do not take, and words too few or many
 */
export function readCall(shape: Pick<Leaf, 'arguments' | 'options'>, args: readonly string[]): Call {
  const { values, positionals } = parse(shape, args);
  for (const [name, option] of Object.entries(shape.options)) {
    if (option.required === true && values[name] === undefined)
      throw new UsageFault(`${optionText(name, option)} is needed`);
    checkChoice(name, option, values[name]);
  }
  checkWords(shape.arguments, positionals);
  return { values, words: positionals };
}

function parse({ options }: Pick<Leaf, 'options'>, args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    if (hasErrorCode(error, 'ERR_PARSE_ARGS_UNKNOWN_OPTION')) throw unknownOption(error, Object.keys(options));
    if (hasErrorCode(error, 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE')) throw new UsageFault((error as Error).message);
    throw error;
  }
}

/** Node's own parser of arguments tells mistakes as errors of its own. */
function unknownOption(error: unknown, known: readonly string[]): UsageFault {
  const written = /'(-[^']+)'/.exec((error as Error).message)?.[1] ?? '';
  const near = nearestWord(written.replace(/^-+/, ''), known);
  return new UsageFault(`there is no option ${written}`, near === undefined ? undefined : `Did you mean --${near}?`);
}

function checkChoice(name: string, { choices }: Option, given: Call['values'][string]): void {
  if (choices === undefined || given === undefined) return;
  for (const value of [given].flat().map(String)) {
    if (!choices.includes(value)) throw new UsageFault(`--${name} is ${choices.join(', ')}, and not '${value}'`);
  }
}

function checkWords(written: string, words: readonly string[]): void {
  const wanted = written.split(' ').filter((word) => word !== '');
  const least = wanted.filter((word) => !word.startsWith('['));
  if (words.length < least.length) throw new UsageFault(`${least.slice(words.length).join(' and ')} is missing`);
  const many = wanted.some((word) => word.includes('…'));
  const tooMany = words[wanted.length];
  if (!many && tooMany !== undefined) throw new UsageFault(`'${tooMany}' is one word too many`);
}

/** An option as help shows it: `-o, --output FILE`. */
export function optionText(name: string, { type, short, value, choices }: Option): string {
  const takes = type === 'boolean' ? '' : ` ${value ?? choices?.join('|') ?? 'VALUE'}`;
  return `${short === undefined ? '' : `-${short}, `}--${name}${takes}`;
}
