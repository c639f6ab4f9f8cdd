import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';

let loaded: typeof Yaml | undefined;

/** The `yaml` package, if a file needed it before. */
export function loadedYaml(): typeof Yaml | undefined {
  return loaded;
}

/** The `yaml` package, loaded for the first file that needs it, as few do: loading takes longer than reading most. */
export function yaml(): typeof Yaml {
  loaded ??= createRequire(import.meta.url)('yaml') as typeof Yaml;
  return loaded;
}
