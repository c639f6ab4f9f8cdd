import { describe, expect, it } from 'vitest';

import { readCorpus } from '../test/corpus.ts';
import { mutate, randomNumbers } from '../test/mutate.ts';
import type { ModelPath, Position } from './model.ts';
import { type AnyNode, isList, isMap, isScalar } from './nodes.ts';
import { readKraftfile, readWithPlaces } from './read-kraftfile.ts';
import { readSimpleYaml } from './simple-yaml.ts';
import { yaml } from './yaml.ts';

/** What a node says and where it starts. */
function outline(node: AnyNode | null | undefined): unknown {
  if (isMap(node)) {
    const pairs = node.items as readonly { readonly key: AnyNode; readonly value: AnyNode | null }[];
    return { at: node.range?.[0], map: pairs.map(({ key, value }) => [outline(key), outline(value)]) };
  }
  if (isList(node)) {
    return { at: node.range?.[0], list: (node.items as readonly AnyNode[]).map((item) => outline(item)) };
  }
  if (!isScalar(node) || (node.value === null && node.source === '')) return null;
  const { value, source, type, range } = node;
  return { at: range?.[0], value, source, type, end: range?.[1] };
}

/** What the parser finds; undefined where it finds something wrong. */
function parsed(text: string): unknown {
  const documents = yaml().parseAllDocuments(text, { uniqueKeys: false, prettyErrors: false, logLevel: 'silent' });
  const [document, second] = 'empty' in documents ? [] : documents;
  const isFine = document !== undefined && document.errors.length === 0 && document.warnings.length === 0;
  return isFine && second === undefined ? outline(document.contents) : undefined;
}

/** Places of all parts of a value. */
function places(
  value: unknown,
  positionOf: (path: ModelPath) => Position | undefined,
  path: ModelPath = [],
): readonly unknown[] {
  const parts = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const isList = Array.isArray(value);
  return [
    path.length === 0 ? undefined : positionOf(path),
    ...parts.flatMap(([key, part]) => places(part, positionOf, [...path, isList ? Number(key) : key])),
  ];
}

const corpus = readCorpus();

describe('simple YAML', () => {
  it('is what nearly all Kraftfiles are written in, and says what the parser finds', () => {
    const simple = corpus.filter(({ text }) => readSimpleYaml(text) !== undefined);
    expect(simple.length / corpus.length).toBeGreaterThan(0.95);
    for (const { name, text } of simple) expect(outline(readSimpleYaml(text)), name).toEqual(parsed(text));
  });

  it('says what the parser finds, or nothing, whatever becomes of a real file', () => {
    const random = randomNumbers(24);
    let read = 0;
    for (let count = 0; count < 2000; count++) {
      const [one, other] = [corpus[random(corpus.length)]?.text ?? '', corpus[random(corpus.length)]?.text ?? ''];
      const text = mutate(one, other, random);
      const root = readSimpleYaml(text);
      if (root === undefined) continue;
      read++;
      expect(outline(root), text).toEqual(parsed(text));
    }
    expect(read).toBeGreaterThan(500);
  });

  it.each([
    [
      'comments anywhere',
      '# a\n\nname: app # b\n  # c\nlibraries:\n# d\n  musl: stable\n   # e\n  lwip:\n\n    version: 1 # f\n# g',
    ],
    ['lists of all kinds', 'a:\n- b\n- -v\n- c: 1\n  d:\n  - e\n-   f: [g, {h: i}]\n    j: k\nl:\n  - "m n"\n  - []\n'],
    [
      'scalars of all kinds',
      'a: ~\nb: null\nc: True\nd: FALSE\ne: -01\nf: .5\ng: 1.\nh: 1.2.3\ni: ./x\nj: \'k\'\nl: ""\nm: n:o\np: q#r',
    ],
    ['values without a value', 'a:\nb: # c\nd:\n  e:\n  f:\ng:'],
    ['flow', 'a: [b, -c, "d, e", \'f\', g:h, i j]\nk: {l: m, "n": [1, 2.5], o: {}} # p\n'],
    ['the start of a document', '# a\n--- \nname: app\n'],
  ])('knows %s', (_, text) => {
    expect(outline(readSimpleYaml(text))).toEqual(parsed(text));
    expect(parsed(text)).toBeDefined();
  });

  it.each([
    ['nothing', '# a\n'],
    ['several lines of one text', 'a: b\n  c\n'],
    ['a text in blocks', 'a: |\n  b\n'],
    ['an alias', 'a: &b c\nd: *b\n'],
    ['a tag', 'a: !!str b\n'],
    ['an escape', 'a: "\\n"\n'],
    ['a quote in quotes', "a: 'it''s'\n"],
    ['several documents', 'a: b\n---\nc: d\n'],
    ['odd numbers', 'a: 0x10\n'],
    ['a key that is no string', 'null: a\n'],
    ['tabs', 'a:\tb\n'],
    ['what is no YAML', 'a: b: c\n'],
    ['wrong indentation', 'a:\n  b: c\n d: e\n'],
    ['brackets over several lines', 'a: [b,\n  c]\n'],
    ['too many brackets', `a: ${'['.repeat(50)}${']'.repeat(50)}\n`],
  ])('leaves %s to the parser', (_, text) => {
    expect(readSimpleYaml(text)).toBeUndefined();
  });
});

describe('a Kraftfile in simple YAML', () => {
  it('is the same for those who only read it and for those who change it', () => {
    const random = randomNumbers(5);
    const some = corpus.filter((_file, index) => index % 4 === 0);
    const mutated = some.map(({ text }) => mutate(text, corpus[random(corpus.length)]?.text ?? '', random));
    for (const text of [...corpus.map((file) => file.text), ...mutated]) {
      const options = { file: 'Kraftfile', directoryName: 'folder' };
      const { kraftfile, diagnostics, positionOf } = readKraftfile(text, options);
      const whole = readWithPlaces(text, options);
      const expected = [
        whole.kraftfile,
        whole.problems.list(),
        places(whole.kraftfile, (path) => whole.reading?.positionOf(path)),
      ];
      // As texts, which are compared much faster.
      expect(JSON.stringify([kraftfile, diagnostics, places(kraftfile, positionOf)]), text).toBe(
        JSON.stringify(expected),
      );
    }
  });
});
