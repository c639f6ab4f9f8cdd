import { describe, expect, it } from 'vitest';
import { splitShellWords } from './shell-words.ts';

describe('splitShellWords', () => {
  it.each([
    ['', []],
    ['  a\tb\n c ', ['a', 'b', 'c']],
    [`'a b'"c d"e`, ['a bc de']],
    [`"" ''`, ['', '']],
    [String.raw`a\ b "c\"d" "\x" 'e\f'`, ['a b', 'c"d', String.raw`\x`, String.raw`e\f`]],
    ['a # b', ['a']],
    ['a#b', ['a#b']],
    ['$A "$B" x${C}y $', ['', 'xy', '$']],
    ['-listen=:80 --x=[1]', ['-listen=:80', '--x=[1]']],
  ])('splits %j', (text, words) => {
    expect(splitShellWords(text)).toEqual(words);
  });

  it.each([`'a`, '"a', 'a | b', 'a; b', 'a > b', '$(a)', '`a`', '"`a`"', '"${A:-b}"'])('refuses %j', (text) => {
    expect(() => splitShellWords(text)).toThrow(expect.objectContaining({ name: 'ShellSyntaxError' }));
  });
});
