import { readFileSync } from 'node:fs';
import Ajv from 'ajv';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { readCorpus } from '../test/corpus.ts';
import { mutate, randomNumbers } from '../test/mutate.ts';
import { read } from '../test/read.ts';
import { schemaPath } from '../test/schema-path.ts';
import type { DiagnosticCode } from './diagnostics.ts';
import { editorSettings } from './editor-settings.ts';
import { kraftfileJsonSchema } from './json-schema.ts';

const validate = new Ajv({ schemaId: 'auto', nullable: false }).compile(kraftfileJsonSchema());

/** Errors about the form of a file; others are about what a schema cannot know. */
const formErrors: readonly DiagnosticCode[] = [
  'ARCHITECTURE_MISSING',
  'EMPTY',
  'KCONFIG_ITEM',
  'KCONFIG_VALUE',
  'NOT_A_MAPPING',
  'PLATFORM_MISSING',
  'SPEC_MISSING',
  'SPEC_UNSUPPORTED',
  'TARGET_FORM',
  'WRONG_TYPE',
  'WRONG_VALUE',
];

/** What the schema and the reader say of a text; undefined for a text that editors do not check, being no YAML. */
function compare(text: string): { schema: boolean; reader: boolean } | undefined {
  const documents = parseAllDocuments(text, {
    uniqueKeys: false,
    merge: true,
    prettyErrors: false,
    logLevel: 'silent',
  });
  const document = 'empty' in documents ? undefined : documents[0];
  const { diagnostics } = read(text);
  const isNoYaml = diagnostics.some(({ code }) => /^(YAML_SYNTAX|YAML_FLOW|TOO_|ALIAS_)/.test(code));
  if (document === undefined || document.errors.length > 0 || isNoYaml) return undefined;
  const value: unknown = document.toJS();
  const errors = diagnostics.filter(({ severity, code }) => severity === 'error' && formErrors.includes(code));
  return { schema: Boolean(validate(value)), reader: errors.length === 0 };
}

describe('the JSON Schema', () => {
  it('is committed as it is generated (write it anew with: npx node libs/kraftfile/test/write-schema.ts)', () => {
    expect(JSON.parse(readFileSync(schemaPath, 'utf8'))).toEqual(kraftfileJsonSchema());
  });

  it('agrees with the reader on every file of the corpus', () => {
    const corpus = readCorpus();
    const disagreeing = corpus.filter(({ text }) => {
      const result = compare(text);
      return result !== undefined && result.schema !== result.reader;
    });
    expect(disagreeing.map(({ name }) => name)).toEqual([]);
  });

  it('agrees with the reader on broken files too', () => {
    const corpus = readCorpus();
    const random = randomNumbers(7);
    const verdicts = { right: 0, wrong: 0 };
    for (let count = 0; count < 1200; count++) {
      const [one, other] = [corpus[random(corpus.length)]?.text ?? '', corpus[random(corpus.length)]?.text ?? ''];
      const text = mutate(one, other, random);
      // What a variable becomes is not known to a schema.
      const result = text.includes('$') ? undefined : compare(text);
      if (result === undefined) continue;
      expect(result.schema, `schema and reader disagree on:\n${text}`).toBe(result.reader);
      verdicts[result.reader ? 'right' : 'wrong']++;
    }
    expect(Math.min(verdicts.right, verdicts.wrong)).toBeGreaterThan(50);
  });

  it('is wired to every name of a Kraftfile in editors', () => {
    const settings = editorSettings('./schema.json');
    expect(settings['yaml.schemas']).toEqual({
      './schema.json': expect.arrayContaining(['Kraftfile', 'Kraftfile.*', 'kraft.yaml', 'kraft.yml']) as unknown,
    });
    expect(settings['files.associations']).toMatchObject({ Kraftfile: 'yaml' });
  });
});
