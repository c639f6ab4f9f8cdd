import type { Plain } from './model.ts';

/**
 * Settings for Visual Studio Code (and what reads the same, such as VSCodium and Theia) that make it take Kraftfiles for
 * YAML and complete and check them with the schema. Other editors with the YAML language server take the comment
 * `# yaml-language-server: $schema=PATH` in the first line of a Kraftfile.
 *
 * @param schemaPath  where the schema lies, relative to the workspace's root
 */
export function editorSettings(schemaPath = './node_modules/@nx-kraft/kraftfile/schema/kraftfile.schema.json'): {
  readonly [key: string]: Plain;
} {
  return {
    'files.associations': { Kraftfile: 'yaml', 'Kraftfile.*': 'yaml', 'Kraftfile_*': 'yaml' },
    'yaml.schemas': {
      [schemaPath]: [
        'Kraftfile',
        'Kraftfile.*',
        'Kraftfile_*',
        'kraft.yaml',
        'kraft.yml',
        'kraft.*.yaml',
        'kraft.*.yml',
      ],
    },
  };
}
