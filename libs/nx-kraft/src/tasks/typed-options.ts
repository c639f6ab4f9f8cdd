/** Options as Nx hands them over, with the words of the command line as they were typed (`$default` in the schema). */
export interface Typed {
  readonly __unparsed__?: readonly string[];
}

/** Names of options that are texts, or objects of texts, and of those that are lists of texts. */
export interface TextOptions<T> {
  readonly texts?: readonly (keyof T & string)[];
  readonly lists?: readonly (keyof T & string)[];
}

/**
 * Options with texts where Nx has made numbers or booleans of them: `--tags=1.0` arrives as 1, and `--env.PORT=9090` as a
 * number. What was typed is taken where it is known, and else the value's own text, as for a number in `project.json`.
 */
export function asTyped<T extends object>(
  { __unparsed__: words = [], ...options }: T & Typed,
  { texts = [], lists = [] }: TextOptions<T>,
): T {
  const typed = typedValues(words);
  const changed = [...texts, ...lists].flatMap((name): [string, unknown][] => {
    const value = (options as Partial<Record<string, unknown>>)[name];
    if (value === undefined) return [];
    const isLone = (lists as readonly string[]).includes(name) && !Array.isArray(value);
    return [[name, toTexts(name, isLone ? [value] : value, typed)]];
  });
  return { ...options, ...Object.fromEntries(changed) } as T;
}

/** What was typed for each option, by its path such as `env.PORT`, in order. */
function typedValues(words: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  for (const [index, word] of words.entries()) {
    const [, key, value = words[index + 1]] = /^--([^=]+)(?:=([^]*))?$/.exec(word) ?? [];
    if (key === undefined || value === undefined) continue;
    const path = key.replace(/^[^.]+/, toCamelCase);
    values.set(path, [...(values.get(path) ?? []), value]);
  }
  return values;
}

function toCamelCase(name: string): string {
  return name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function toTexts(path: string, value: unknown, typed: ReadonlyMap<string, readonly string[]>): unknown {
  const words = typed.get(path) ?? [];
  if (Array.isArray(value)) return value.map((item, index) => toText(item, words[index]));
  if (typeof value !== 'object' || value === null) return toText(value, words.at(-1));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toTexts(`${path}.${key}`, item, typed)]));
}

/** A word counts only where it is what the value was made from. */
function toText(value: unknown, word: string | undefined): unknown {
  if (typeof value === 'number') return word !== undefined && Number(word) === value ? word : String(value);
  return typeof value === 'boolean' ? String(value) : value;
}
