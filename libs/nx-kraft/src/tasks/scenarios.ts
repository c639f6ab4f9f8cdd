import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrorCode, regularFile } from '@nx-kraft/base';
import { MachineFault, type Scenario } from '@nx-kraft/machine';
import { parseScenarios } from '@nx-kraft/machine/scenario';
import { testFileName } from './files.ts';

/** The scenarios beside the Kraftfile; without any, that the unikernel boots and ends well. */
export async function readScenarios(folder: string): Promise<readonly Scenario[]> {
  const file = join(folder, testFileName);
  let text: string;
  try {
    text = await readFile(regularFile(file), 'utf8');
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
    return parseScenarios([{ name: 'boots and ends well' }], file);
  }
  return parseScenarios(parseJson(text, file).scenarios, file);
}

function parseJson(text: string, file: string): { readonly scenarios?: unknown } {
  try {
    return (JSON.parse(text) ?? {}) as { scenarios?: unknown };
  } catch (error) {
    throw new MachineFault('MACHINE_BAD_SCENARIO', error instanceof Error ? error.message : String(error), {
      at: file,
      hint: 'The file must be JSON: { "scenarios": [{ "name": "…" }] }.',
    });
  }
}
