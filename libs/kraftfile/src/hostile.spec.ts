import { describe, expect, it } from 'vitest';
import { readCorpus } from '../test/corpus.ts';
import { mutate, randomNumbers } from '../test/mutate.ts';
import { read } from '../test/read.ts';
import { formatDiagnostics } from './format.ts';
import { outputNames } from './outputs.ts';

const letters = [...'abcdefghijk'];
const bomb = (item: (letter: string) => string): string =>
  letters
    .map((letter, index) => `${letter}: &${letter} ${index === 0 ? 'x' : item(letters[index - 1] ?? '')}`)
    .join('\n');

describe('hostile files', () => {
  it.each<[string, string, string]>([
    ['10 MB', 'a: b\n'.repeat(2_000_000), 'TOO_LARGE'],
    ['lists that unfold', bomb((letter) => `[${Array(9).fill(`*${letter}`).join(', ')}]`), 'ALIAS_EXPANSION'],
    [
      'mappings that unfold',
      bomb((letter) => `{p: *${letter}, q: *${letter}, r: *${letter}, s: *${letter}}`),
      'ALIAS_EXPANSION',
    ],
    ['a list in itself', 'spec: v0.6\ncmd: &a [*a]\n', 'TOO_DEEP'],
    ['a mapping merged with itself', 'spec: v0.6\nunikraft: &a {<<: *a}\n', 'TOO_DEEP'],
    ['open brackets', '['.repeat(100_000), 'TOO_DEEP'],
    ['open braces', '{a: '.repeat(30_000), 'TOO_DEEP'],
    ['dashes', `a:\n ${'- '.repeat(50_000)}`, 'TOO_DEEP'],
    ['question marks', '? '.repeat(50_000), 'TOO_DEEP'],
    ['deep indentation', Array.from({ length: 400 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'), 'TOO_DEEP'],
  ])('%s: refused', (_, text, code) => {
    const { kraftfile, diagnostics } = read(text);
    expect(kraftfile).toBeUndefined();
    expect(diagnostics).toMatchObject([{ severity: 'error', code }]);
  });

  it.each<[string, string]>([
    ['open variables', `spec: v0.6\nruntime: a\ncmd: ['${'${'.repeat(90)}']\nenv: {A: '${'$'.repeat(50_000)}'}\n`],
    ['one key again and again', `spec: v0.6\n${'runtime: a\n'.repeat(10_000)}`],
    ['wrong options', `spec: v0.6\nunikraft:\n  kconfig:\n${'  - A\n'.repeat(15_000)}`],
    ['many targets', `spec: v0.6\ntargets: [${Array.from({ length: 5000 }, (_, n) => `p${n}/a`).join(', ')}]\n`],
    [
      'trees that multiply',
      `spec: v0.4\n${['architectures', 'platforms'].map((key) => `${key}:\n${Array.from({ length: 4000 }, (_, n) => `  k${n}: true\n`).join('')}`).join('')}`,
    ],
  ])('%s: read within bounds', (_, text) => {
    const { kraftfile, diagnostics } = read(text);
    expect(diagnostics.length).toBeLessThanOrEqual(200);
    expect(kraftfile?.targets.length).toBeLessThanOrEqual(500);
  });

  it('keeps __proto__ and constructor as the keys that they are', () => {
    const { kraftfile } = read(
      'spec: v0.6\nruntime: a\nenv: {__proto__: x, constructor: z}\nx-a: {__proto__: {polluted: 1}}\nlibraries: {__proto__: stable}\n',
    );
    expect(Object.entries(kraftfile?.env ?? {})).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'z'],
    ]);
    expect(kraftfile?.libraries).toMatchObject([{ name: '__proto__' }]);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('never throws, whatever becomes of a real file', () => {
    const corpus = readCorpus();
    const random = randomNumbers(2026);
    for (let count = 0; count < 1500; count++) {
      const [one, other] = [corpus[random(corpus.length)]?.text ?? '', corpus[random(corpus.length)]?.text ?? ''];
      const text = mutate(one, other, random);
      const { kraftfile, diagnostics, positionOf } = read(text);
      expect(kraftfile !== undefined || diagnostics.some(({ severity }) => severity === 'error'), text).toBe(true);
      for (const target of kraftfile?.targets ?? []) if (kraftfile) outputNames(kraftfile, target);
      positionOf(['targets', 0, 'kconfig']);
      formatDiagnostics(diagnostics, 'text');
    }
  });
});
