import { describe, expect, it } from 'vitest';
import { readCorpus } from '../test/corpus.ts';
import { mutate, randomNumbers } from '../test/mutate.ts';
import { fitsSchema } from './fits-schema.ts';
import { Problems } from './problems.ts';
import { readTree } from './read-tree.ts';
import { shapeOf } from './shape.ts';
import { SourceText } from './source-text.ts';

/** Whether a text fits by the schema, and by the shape; undefined for one that is no YAML. */
function compare(
  text: string,
  family: 'legacy' | 'v0.7',
): { readonly schema: boolean; readonly shape: boolean } | undefined {
  const tree = readTree(text, new Problems(new SourceText(text), 'Kraftfile'));
  if (tree === undefined) return undefined;
  const value = tree.plain(tree.root);
  return { schema: fitsSchema(family, value), shape: shapeOf(family).safeParse(value).success };
}

describe('the schema as a check', () => {
  const corpus = readCorpus();

  it('lets a file of the corpus pass just where the shape does', () => {
    for (const family of ['legacy', 'v0.7'] as const) {
      for (const { name, text } of corpus) {
        const result = compare(text, family);
        expect(result?.schema, name).toBe(result?.shape);
      }
    }
  });

  it('lets nothing pass that the shape does not', () => {
    const random = randomNumbers(11);
    const passed = { legacy: 0, 'v0.7': 0 };
    for (let count = 0; count < 1500; count++) {
      const [one, other] = [corpus[random(corpus.length)]?.text ?? '', corpus[random(corpus.length)]?.text ?? ''];
      const text = mutate(one, other, random);
      for (const family of ['legacy', 'v0.7'] as const) {
        const result = compare(text, family);
        if (result?.schema !== true) continue;
        expect(result.shape, text).toBe(true);
        passed[family]++;
      }
    }
    expect(Math.min(passed.legacy, passed['v0.7'])).toBeGreaterThan(10);
  });
});
