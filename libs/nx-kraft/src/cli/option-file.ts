import { readFile } from 'node:fs/promises';
import { refusalOf } from '@nx-kraft/base';
import { UsageFault } from './usage-fault.ts';

/**
 * The text of the file that an option names.
 *
 * @param option  as it is written: `--key`
 * @throws UsageFault naming both, for a file that cannot be read
 */
export async function readOptionFile(option: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    throw new UsageFault(`${option} ${file}: ${refusal.message}`, refusal.hint);
  }
}
