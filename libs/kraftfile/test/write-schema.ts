// Writes the JSON Schema anew after a change of the definitions: npx node libs/kraftfile/test/write-schema.ts
import { writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { kraftfileJsonSchema } from '../src/json-schema.ts';
import { schemaPath } from './schema-path.ts';

const text = JSON.stringify(kraftfileJsonSchema());
writeFileSync(schemaPath, await format(text, { ...(await resolveConfig(schemaPath)), parser: 'json' }));
