import { UsageFault } from './command.ts';

/** A value that must be one of some words; undefined when it was not given. */
export function oneOf<const T extends string>(
  option: string,
  words: readonly T[],
  value: string | undefined,
): T | undefined {
  const word = words.find((candidate) => candidate === value);
  if (word === undefined && value !== undefined) {
    throw new UsageFault(`${option} is ${words.join(', ')}, and not '${value}'`);
  }
  return word;
}

/** `NAME=VALUE` items as a mapping; `NAME` alone has the value of the environment's variable. */
export function pairs(items: readonly string[] = []): Readonly<Record<string, string>> {
  return Object.fromEntries(
    items.map((item) => {
      const [name = '', ...value] = item.split('=');
      return [name, value.length > 0 ? value.join('=') : (process.env[name] ?? '')];
    }),
  );
}
