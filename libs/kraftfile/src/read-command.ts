import type { Reading } from './reading.ts';
import { ShellSyntaxError, splitShellWords } from './shell-words.ts';
import type { Value } from './tree.ts';

/** Reads `cmd`: a list, or a string, which is one argument before v0.7 and split as by a shell since. */
export function readCommand(reading: Reading, value: Value | undefined): readonly string[] | undefined {
  const scalar = reading.scalar(value);
  const text = reading.text(scalar);
  if (scalar !== undefined && text !== undefined) {
    if (reading.family === 'v0.7') return splitWords(reading, text, scalar);
    if (/\s/.test(text.trim())) {
      reading.warn('CMD_STRING', scalar, 'Before v0.7 a cmd that is a string is one single argument, spaces and all', {
        expected: 'a list',
        suggestion: JSON.stringify(text.trim().split(/\s+/)),
      });
    }
    return [text];
  }
  if (reading.list(value) === undefined) return undefined;
  const items = reading.items(value).flatMap((item) => {
    const word = reading.text(item);
    return item === undefined || word === undefined ? [] : [{ item, word }];
  });
  // What stands before `--` is for the kernel, whose parameters may hold spaces: `env.vars=[ "HOME=/" ]`.
  const first = items.findIndex(({ word }) => word === '--') + 1;
  for (const [index, { item, word }] of items.entries()) {
    reading.place(['cmd', index], item);
    checkType(reading, item, word);
    if (index >= first) checkSpaces(reading, item, word, index === first);
  }
  return items.map(({ word }) => word);
}

function splitWords(reading: Reading, text: string, at: NonNullable<Value>): readonly string[] | undefined {
  try {
    return splitShellWords(text);
  } catch (error) {
    if (!(error instanceof ShellSyntaxError)) throw error;
    reading.error('CMD_SHELL_SYNTAX', at, `cmd cannot be split into words: ${error.message}`, {
      expected: 'words as in a shell, or a list',
    });
    return undefined;
  }
}

function checkType(reading: Reading, item: NonNullable<Value>, word: string): void {
  const scalar = reading.scalar(item);
  if (scalar === undefined || (typeof scalar.value === 'string' && reading.bareBoolean(scalar) === undefined)) return;
  const code = typeof scalar.value === 'number' ? 'BARE_NUMBER' : 'BARE_BOOLEAN';
  reading.warn(code, scalar, `kraft refuses ${word} here, which is no string for it`, {
    suggestion: JSON.stringify(word),
  });
}

/** Warns of a program with its arguments, or an option with its value, in one item: both programs and kernel see one word. */
function checkSpaces(reading: Reading, item: NonNullable<Value>, word: string, isProgram: boolean): void {
  if (!(isProgram ? /^\S+\s+\S/ : /^--?[\w-]+\s+\S/).test(word)) return;
  const words = word.trim().split(/\s+/);
  reading.warn('CMD_WORDS', item, 'Each item of cmd is one argument, spaces and all', {
    suggestion: words.map((part) => JSON.stringify(part)).join(', '),
  });
}
