import { nearestWord } from '@nx-kraft/base';
import { type Declaration, readDeclarations } from './config-files.ts';
import type { DroppedOption, Kconfig } from './kconfig.ts';
import type { KernelPlan } from './plan.ts';

/** An option that did not stick, and the reason as far as the declarations tell one. */
export interface ExplainedOption extends DroppedOption {
  readonly why: string | undefined;
}

/** Looks up in the `Config.uk` files of core, libraries and application why options did not stick. */
export async function explainDropped(
  dropped: readonly DroppedOption[],
  config: Kconfig,
  plan: KernelPlan,
): Promise<readonly ExplainedOption[]> {
  if (dropped.length === 0) return [];
  const declarations = await readDeclarations(sourceFolders(plan));
  return dropped.map((option) => ({ ...option, why: explain(option, config, declarations) }));
}

/** All folders with declarations of options, each once. */
export function sourceFolders({ core, libraries, application }: KernelPlan): readonly string[] {
  return [...new Set([core.folder, ...libraries.map(({ folder }) => folder), application])];
}

/** The reason why an option has another value than was asked for, as the end of a sentence. */
export function explain(
  { symbol, asked, got }: DroppedOption,
  config: Kconfig,
  declarations: readonly Declaration[],
): string | undefined {
  if (symbol === 'CONFIG_UK_NAME') return 'an image is named after its project and target';
  const own = declarations.filter((declaration) => declaration.symbol === symbol);
  if (own.length === 0) {
    const names = new Set(declarations.map((declaration) => declaration.symbol.replace(prefix, '')));
    const similar = nearestWord(symbol.replace(prefix, ''), [...names], 3);
    return `no Config.uk declares it${similar === undefined ? '' : `; did you mean ${prefix}${similar}?`}`;
  }
  if (asked === 'n') {
    const selecting = declarations.find(
      (other) => other.selects.includes(symbol) && (config[other.symbol] ?? 'n') !== 'n',
    );
    if (selecting !== undefined) return `${selecting.symbol} selects it`;
  }
  const possible = own.filter(({ conditions }) => conditions.every((condition) => holds(condition, config)));
  if (possible.length === 0) {
    const unmet = own[0]?.conditions.flatMap(conjuncts).filter((condition) => !holds(condition, config)) ?? [];
    return `it depends on ${[...new Set(unmet)].map(readable).join(' and ')}`;
  }
  const [{ choice, range }] = possible as [Declaration];
  const chosen = declarations.find(
    (other) => other.symbol !== symbol && other.choice === choice && config[other.symbol] === 'y',
  );
  if (choice !== undefined && chosen !== undefined) return `${chosen.symbol} was chosen instead`;
  if (!possible.some(({ hasPrompt }) => hasPrompt)) return 'it cannot be set, it follows from other options';
  const type = own.find((declaration) => declaration.type !== undefined)?.type;
  const taken = values[type ?? ''];
  if (taken?.pattern.test(asked) === false) return `it takes ${taken.name}`;
  return range === undefined || got === undefined ? undefined : `it must be in the range ${range}`;
}

/** What each type of KConfig takes; a string takes everything. */
const values: Readonly<Record<string, { readonly pattern: RegExp; readonly name: string }>> = {
  bool: { pattern: /^[yn]$/, name: 'y or n' },
  tristate: { pattern: /^[ymn]$/, name: 'y, m or n' },
  int: { pattern: /^-?\d+$/, name: 'a whole number' },
  hex: { pattern: /^(0x)?[\da-f]+$/i, name: 'a hexadecimal number such as 0x10' },
};

/** What Kraftfiles and `.config` have before a symbol's name, and `Config.uk` does not. */
const prefix = 'CONFIG_';

/** The parts of `a && b && (c || d)` that must all hold. */
function conjuncts(condition: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (const { 0: token, index } of condition.matchAll(/\(|\)|&&|\|\|/g)) {
    if (token === '(') depth++;
    else if (token === ')') depth--;
    else if (depth === 0 && token === '||') return [condition.trim()];
    else if (depth === 0) {
      parts.push(condition.slice(start, index).trim());
      start = index + token.length;
    }
  }
  return [...parts, condition.slice(start).trim()];
}

/** Whether an expression of KConfig holds, `m` counting as `y`: `A && !(B = "x" || C)`. */
export function holds(expression: string, config: Kconfig): boolean {
  const tokens = expression.match(/&&|\|\||!=|[()!=]|"[^"]*"|[^\s()!=&|]+/g) ?? [];
  let next = 0;
  const value = (token = ''): string =>
    token.startsWith('"') ? token.slice(1, -1) : /^[A-Z]/.test(token) ? (config[`CONFIG_${token}`] ?? 'n') : token;
  const term = (): boolean => {
    const token = tokens[next++];
    if (token === '!') return !term();
    if (token === '(') {
      const inner = either();
      next++;
      return inner;
    }
    const operator = tokens[next];
    if (operator === '=' || operator === '!=') {
      next++;
      return (value(token) === value(tokens[next++])) === (operator === '=');
    }
    return /^[ym]$/.test(value(token));
  };
  const both = (): boolean => {
    let result = term();
    while (tokens[next] === '&&') {
      next++;
      result = term() && result;
    }
    return result;
  };
  const either = (): boolean => {
    let result = both();
    while (tokens[next] === '||') {
      next++;
      result = both() || result;
    }
    return result;
  };
  return either();
}

/** With the names of options as Kraftfiles have them. */
function readable(condition: string): string {
  return condition.replaceAll(/\s+/g, ' ').replaceAll(/(?<!["\w])[A-Z]\w+/g, 'CONFIG_$&');
}
