import Ajv from 'ajv';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const { resolve } = createRequire(import.meta.url);
const schemas = join(dirname(resolve('@cyclonedx/cyclonedx-library/package.json')), 'res/schema');
const schema = (name: string) =>
  JSON.parse(readFileSync(join(schemas, `${name}.SNAPSHOT.schema.json`), 'utf8')) as object;

/** What is wrong with a document by CycloneDX's own schema of version 1.6; empty when nothing is. */
export function cycloneDxErrors(document: unknown): readonly string[] {
  // Formats for addresses in all scripts are unknown to this validator, and no part of what we write.
  const ajv = new Ajv({ allErrors: true, unknownFormats: ['idn-email', 'iri-reference'], extendRefs: true });
  for (const other of ['spdx', 'jsf-0.82']) {
    ajv.addSchema(schema(other), `http://cyclonedx.org/schema/${other}.SNAPSHOT.schema.json`);
  }
  const validate = ajv.compile(schema('bom-1.6'));
  void validate(document);
  return (validate.errors ?? []).map(({ dataPath, message }) => `${dataPath} ${message}`);
}
