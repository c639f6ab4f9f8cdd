import { join } from 'node:path';

/** The JSON Schema that is published with the package. */
export const schemaPath = join(import.meta.dirname, '../schema/kraftfile.schema.json');
