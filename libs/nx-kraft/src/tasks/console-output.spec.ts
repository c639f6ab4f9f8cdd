import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ConsoleOutput } from './console-output.ts';

let written: string[];
function screen(isTTY: boolean, prefix = ''): ConsoleOutput {
  written = [];
  const write = (chunk: Uint8Array): boolean => written.push(Buffer.from(chunk).toString()) > 0;
  return new ConsoleOutput({ isTTY, write } as unknown as NodeJS.WriteStream, prefix);
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('pieces of a line are written as one', () => {
  const output = screen(false);
  for (const piece of ['H', 'el', 'lo\nwor', 'ld\n']) output.write(Buffer.from(piece));
  expect(written).toEqual(['Hello\n', 'world\n']);
});

test('a guest that rests within a line for half a second has it whole', () => {
  const output = screen(false);
  output.write(Buffer.from('Hel'));
  vi.advanceTimersByTime(500);
  output.write(Buffer.from('lo\n'));
  expect(written).toEqual(['Hello\n']);
});

test('a prompt shows after a moment, and what is left at the end', () => {
  const output = screen(false);
  output.write(Buffer.from('name: '));
  expect(written).toEqual([]);
  vi.advanceTimersByTime(1000);
  expect(written).toEqual(['name: ']);
  output.write(Buffer.from('bye'));
  output.flush();
  expect(written).toEqual(['name: ', 'bye']);
});

test('each line begins with the prefix once, however it comes', () => {
  const output = screen(true, 'web | ');
  for (const piece of ['one\ntw', 'o\n', '\nthr']) output.write(Buffer.from(piece));
  output.flush();
  output.write(Buffer.from('ee \u00e9\n'));
  expect(written.join('')).toBe('web | one\nweb | two\nweb | \nweb | three \u00e9\n');
});

test('a terminal gets everything as it comes', () => {
  const output = screen(true);
  output.write(Buffer.from('a'));
  output.write(Buffer.from('b\nc'));
  expect(written).toEqual(['a', 'b\nc']);
});
