import type { Text } from './scenario.ts';

/** Whether a text, or a match of a pattern, is in what was seen. */
export function matches(text: Text, seen: string): boolean {
  return typeof text === 'string' ? seen.includes(text) : new RegExp(text.pattern).test(seen);
}

export function describeText(text: Text): string {
  return typeof text === 'string' ? JSON.stringify(text) : `/${text.pattern}/`;
}
