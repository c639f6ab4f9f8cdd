import { readCall } from './read-call.ts';

/** One option of a command, as its parser, its help and its completions need it. */
export interface Option {
  readonly type: 'boolean' | 'string';
  /** The one letter that stands for it. */
  readonly short?: string;
  readonly multiple?: boolean;
  readonly required?: boolean;
  /** What its value is called in help: `FILE`, `DIR`, `MACHINE`; completions know some of these names. */
  readonly value?: string;
  /** The only values that it takes. */
  readonly choices?: readonly string[];
  /** What it does, in a line without a full stop. */
  readonly summary: string;
}

export type Options = Readonly<Record<string, Option>>;

/** The values of options by their names; undefined where one that is not required was not given. */
export type Values<O extends Options> = {
  readonly [Name in keyof O]: Value<O[Name]> | (O[Name] extends { required: true } ? never : undefined);
};

type Value<O extends Option> = O extends { type: 'boolean' }
  ? boolean
  : O extends { multiple: true }
    ? readonly string[]
    : O extends { choices: readonly (infer Choice)[] }
      ? Choice
      : string;

/** The words that a command takes, from how they are written: `FILE` one, `NAME…` some, `[NAME]` one or none. */
export type Words<Written extends string> = Written extends ''
  ? readonly []
  : Written extends `${infer First} ${infer Rest}`
    ? readonly [...Word<First>, ...Words<Rest>]
    : Word<Written>;

type Word<Written extends string> = Written extends `[${string}…]`
  ? readonly string[]
  : Written extends `[${string}]`
    ? readonly [string?]
    : Written extends `${string}…`
      ? readonly [string, ...string[]]
      : readonly [string];

/** A command that does something: the one description of it, for its parser, its help and its completions. */
export interface Leaf {
  /** The words it takes, as help shows them: `FILE OPTION=VALUE… [NAME]`. */
  readonly arguments: string;
  readonly options: Options;
  /** What its help says below the options. */
  readonly notes: string;
  /**
   * Does it.
   *
   * @param args  what is written behind its name
   * @returns the exit code
   * @throws UsageFault where `args` do not fit the description
   */
  readonly run: (args: readonly string[]) => Promise<number>;
}

/** A command that has commands. */
export interface Group {
  readonly commands: Readonly<Record<string, Entry>>;
  /** The one that is meant where none is named. */
  readonly default?: string;
  /** What its help says below the commands. */
  readonly notes?: string;
}

export type Command = Leaf | Group;

/** A command as the one above it lists it, without loading it. */
export interface Entry {
  /** The heading under which help lists it. */
  readonly subject?: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** Other names for it, which help does not list. */
  readonly aliases?: readonly string[];
  readonly load: () => Command | Promise<Command>;
}

/** `--json`, for every command that reports something. */
export const jsonOption = { json: { type: 'boolean', summary: 'the result as JSON' } } as const satisfies Options;

/**
 * Makes a command from its description.
 *
 * @param description.run  gets the values of the options and the words, both checked; nothing returned is exit code 0
 */
export function command<
  const Written extends string = '',
  const O extends Options = Record<never, never>,
>(description: {
  readonly arguments?: Written;
  readonly options?: O;
  readonly notes?: string;
  readonly run: (call: { readonly values: Values<O>; readonly words: Words<Written> }) => Promise<number | undefined>;
}): Leaf {
  const shape = { arguments: description.arguments ?? '', options: description.options ?? {} };
  return {
    ...shape,
    notes: description.notes ?? '',
    run: async (args) => {
      const { values, words } = readCall(shape, args);
      // What was read fits the description, from which these types come.
      return (await description.run({ values: values as Values<O>, words: words as Words<Written> })) ?? 0;
    },
  };
}

/** Writes a result to standard output: as JSON where that was asked for, else as text. */
export function print(values: { readonly json?: boolean | undefined }, data: unknown, text: () => string): void {
  const written = values.json === true ? JSON.stringify(data, undefined, 2) : text().trimEnd();
  if (written !== '') process.stdout.write(`${written}\n`);
}
