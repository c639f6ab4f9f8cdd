import { toJSONSchema } from 'zod';
import type { Plain } from './model.ts';
import { shapeOf } from './shape.ts';
import type { Family } from './reading.ts';

/**
 * The JSON Schema (draft 7, which editors understand best) of all versions of a Kraftfile, made from the definitions
 * that the reader checks with. It is committed as `schema/kraftfile.schema.json`; a test keeps the two equal.
 */
export function kraftfileJsonSchema(): { readonly [key: string]: Plain } {
  const v07 = { anyOf: [{ type: 'string', pattern: '^v?0\\.7' }, { const: 0.7 }] };
  const isNew = [
    { required: ['specification'], properties: { specification: v07 } },
    { required: ['spec'], not: { required: ['specification'] }, properties: { spec: v07 } },
  ];
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: 'urn:nx-kraft:kraftfile',
    title: 'Kraftfile',
    description: 'How a Unikraft unikernel is built, packaged and run: Kraftfile v0.4, v0.5, v0.6 and v0.7.',
    type: 'object',
    anyOf: [{ required: ['spec'] }, { required: ['specification'] }],
    if: { anyOf: isNew },
    then: familySchema('v0.7'),
    else: familySchema('legacy'),
  };
}

function familySchema(family: Family): Plain {
  const schema = toJSONSchema(shapeOf(family), { target: 'draft-7', io: 'input' });
  delete schema.$schema;
  return JSON.parse(JSON.stringify(schema)) as Plain;
}
