import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** One declaration of a symbol in a `Config.uk`, as far as it tells why a value does not stick. */
export interface Declaration {
  /** Where it is, as `file:line`. */
  readonly at: string;
  readonly symbol: string;
  /** All that must hold: its own dependencies and those of the menus, choices and conditions around it. */
  readonly conditions: readonly string[];
  /** Whether people may set it; others only follow from it. */
  readonly hasPrompt: boolean;
  readonly selects: readonly string[];
  readonly range: string | undefined;
  /** `bool`, `tristate`, `string`, `int` or `hex`, where this declaration says it. */
  readonly type: string | undefined;
  /** The line of the choice that it belongs to; one member of each choice is set. */
  readonly choice: string | undefined;
}

/**
 * Reads what the `Config.uk` files below some folders declare. This is no interpreter of the KConfig language: it reads
 * just what explains a dropped option, file by file, so that conditions around a `source` are not seen.
 */
export async function readDeclarations(folders: readonly string[]): Promise<readonly Declaration[]> {
  const lists = await Promise.all(
    folders.map(async (folder) => {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile() && /^Config\.(uk|in)$/.test(entry.name));
      const paths = files.map((entry) => join(entry.parentPath, entry.name)).toSorted();
      return Promise.all(paths.map(async (path) => parseDeclarations(path, await readFile(path, 'utf8'))));
    }),
  );
  return lists.flat(2);
}

interface Block {
  readonly kind: 'if' | 'menu' | 'choice' | 'config';
  readonly at: string;
  readonly symbol: string;
  readonly conditions: string[];
  readonly selects: string[];
  hasPrompt: boolean;
  range: string | undefined;
  type: string | undefined;
}

export function parseDeclarations(path: string, text: string): readonly Declaration[] {
  const declarations: Declaration[] = [];
  const around: Block[] = [];
  let current: Block | undefined;
  const open = (kind: Block['kind'], line: number, symbol = ''): Block => ({
    kind,
    at: `${path}:${line}`,
    symbol,
    conditions: [],
    selects: [],
    hasPrompt: false,
    range: undefined,
    type: undefined,
  });
  const finish = (): void => {
    if (current?.kind === 'config') declarations.push(declare(current, around));
    current = undefined;
  };
  for (const [index, line] of text.replaceAll('\\\n', '  ').split('\n').entries()) {
    const [, word = '', rest = ''] = /^\s*(\w+)\s*(.*?)\s*(?:#.*)?$/.exec(line) ?? [];
    if (word === 'config' || word === 'menuconfig') {
      finish();
      current = open('config', index + 1, rest);
    } else if (word === 'if' || word === 'menu' || word === 'choice') {
      finish();
      current = open(word, index + 1);
      if (word === 'if') current.conditions.push(rest);
      around.push(current);
    } else if (/^end(if|menu|choice)$/.test(word)) {
      finish();
      around.pop();
    } else if (current !== undefined) {
      readProperty(current, word, rest);
    }
  }
  finish();
  return declarations;
}

function readProperty(block: Block, word: string, rest: string): void {
  if (word === 'depends') block.conditions.push(rest.replace(/^on\s+/, ''));
  else if (word === 'select') block.selects.push(rest.replace(/\s+if\s.*/, ''));
  else if (word === 'range') block.range = rest;
  else if (word === 'prompt') block.hasPrompt = true;
  const type = /^(?:def_)?(bool|tristate)$|^(?:string|int|hex)$/.exec(word);
  if (type === null) return;
  block.type = type[1] ?? word;
  if (rest !== '' && !word.startsWith('def_')) block.hasPrompt = true;
}

function declare(
  { at, symbol, conditions, selects, hasPrompt, range, type }: Block,
  around: readonly Block[],
): Declaration {
  return {
    at,
    symbol: `CONFIG_${symbol}`,
    conditions: [...around.flatMap((block) => block.conditions), ...conditions],
    hasPrompt,
    selects: selects.map((name) => `CONFIG_${name}`),
    range,
    type,
    choice: around.findLast(({ kind }) => kind === 'choice')?.at,
  };
}
