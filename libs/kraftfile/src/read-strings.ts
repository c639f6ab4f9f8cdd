import type { ModelPath } from './model.ts';
import type { Reading } from './reading.ts';
import { scalarText, type Value } from './tree.ts';

/** Reads `env` or `labels`: a mapping, or a list of `KEY=value` where a `KEY` alone is empty. */
export function readStrings(reading: Reading, value: Value | undefined, path: ModelPath): Record<string, string> {
  const found = new Map<string, string>();
  for (const item of reading.items(value)) {
    const text = reading.text(item);
    if (item === undefined || text === undefined) continue;
    const equals = text.indexOf('=');
    const key = equals === -1 ? text : text.slice(0, equals);
    found.set(key, equals === -1 ? '' : text.slice(equals + 1));
    reading.place([...path, key], item);
  }
  for (const entry of reading.entries(value)) {
    if (entry.value !== undefined && reading.scalar(entry.value) === undefined) continue;
    found.set(entry.key, stringOf(reading, entry.value));
    reading.place([...path, entry.key], entry.keyNode);
  }
  return Object.fromEntries(found);
}

function stringOf(reading: Reading, value: Value | undefined): string {
  const scalar = reading.scalar(value);
  if (scalar === undefined) return '';
  const written = scalarText(scalar);
  const boolean = reading.bareBoolean(scalar);
  if (boolean !== undefined) {
    if (written !== String(boolean)) {
      reading.warn('BARE_BOOLEAN', scalar, `A bare ${written} is a boolean, and becomes '${String(boolean)}'`, {
        suggestion: `"${written}"`,
        hint: 'Put it in quotes.',
      });
    }
    return String(boolean);
  }
  if (typeof scalar.value === 'number' && written !== String(scalar.value)) {
    reading.warn('BARE_NUMBER', scalar, `kraft takes the bare ${written} for ${String(scalar.value)}`, {
      suggestion: `"${written}"`,
      hint: 'Put it in quotes, so that every tool reads what is written.',
    });
  }
  return reading.text(scalar) ?? '';
}
