import type { Kconfig, ModelPath } from './model.ts';
import type { Reading } from './reading.ts';
import { scalarText, type Value } from './tree.ts';

/**
 * Reads a `kconfig` mapping or list of `KEY=value`. Booleans become `y` and `n`, numbers stay as written (kraft turns a
 * bare `0x1000` into 4096, which KConfig then takes for a hexadecimal number), and the quotes that some put into a
 * string for KConfig are removed.
 */
export function readKconfig(reading: Reading, value: Value | undefined, path: ModelPath): Kconfig {
  const found = new Map<string, string>();
  const places = reading.placesIn(path);
  const list = reading.list(value);
  if (list !== undefined) {
    for (const item of reading.items(list)) {
      const text = reading.text(item)?.trim();
      if (item === undefined || text === undefined) continue;
      const equals = text.indexOf('=');
      const symbol = (equals === -1 ? text : text.slice(0, equals)).trim();
      if (equals === -1 && reading.family === 'legacy') continue;
      if (equals === text.length - 1 && reading.family === 'legacy') {
        reading.warn('EMPTY_VALUE', item, `kraft refuses '${text}' for want of a value`);
      }
      if (found.has(symbol)) {
        reading.warn('DUPLICATE_KEY', item, `'${symbol}' is listed already; only this one is read`);
      }
      found.set(symbol, unquote(equals === -1 ? '' : text.slice(equals + 1).trim()));
      places.set(symbol, item.range?.[0] ?? 0);
      checkSymbol(reading, symbol, item);
    }
  }
  for (const entry of reading.entries(value)) {
    const text = kconfigText(reading, entry.value);
    if (text === undefined && reading.family === 'legacy') continue;
    const symbol = entry.key.trim();
    found.set(symbol, unquote(text ?? ''));
    places.set(symbol, entry.keyNode.range?.[0] ?? 0);
    checkSymbol(reading, symbol, entry.keyNode);
  }
  return Object.fromEntries(found);
}

function kconfigText(reading: Reading, value: Value | undefined): string | undefined {
  const scalar = reading.scalar(value);
  if (scalar === undefined) return undefined;
  const boolean = reading.bareBoolean(scalar);
  if (boolean !== undefined) return boolean ? 'y' : 'n';
  if (typeof scalar.value === 'number' && !/^[-+]?(0|[1-9]\d*)$/.test(scalarText(scalar))) {
    reading.warn('BARE_NUMBER', scalar, `kraft takes the bare ${scalarText(scalar)} for ${String(scalar.value)}`, {
      suggestion: `'${scalarText(scalar)}'`,
      hint: 'Put it in quotes, so that every tool reads what is written.',
    });
  }
  return reading.text(scalar);
}

/** `"a \"b\""` as KConfig writes strings becomes `a "b"`; anything else stays. */
function unquote(text: string): string {
  return text.startsWith('"') && /^"(?:[^"\\]|\\.)*"$/s.test(text)
    ? text.slice(1, -1).replaceAll(/\\(.)/gs, '$1')
    : text;
}

function checkSymbol(reading: Reading, symbol: string, at: NonNullable<Value>): void {
  if (/^CONFIG_\w+$/.test(symbol)) return;
  const suggestion = /^\w+$/.test(symbol) ? `CONFIG_${symbol.replace(/^config_/i, '')}` : undefined;
  reading.warn('KCONFIG_SYMBOL', at, `'${symbol}' is no symbol of KConfig, which ignores it`, {
    expected: 'CONFIG_ followed by letters, digits and underscores',
    ...(suggestion === undefined ? {} : { suggestion }),
  });
}
