import { ProgramFault, run } from '@nx-kraft/base';
import type { PackagedProgram } from '@nx-kraft/base/packages';
import type { Check, Finding } from '../check.ts';

/** A check that a program is there and tells its version. */
export function programCheck(fields: Omit<Check, 'probe' | 'name'> & { readonly program: PackagedProgram }): Check {
  return { ...fields, name: fields.program, probe: () => probeProgram(fields.program) };
}

/** Starts a program for its version. Old ones know no `--version`, but tell it while they complain about that. */
export async function probeProgram(program: string): Promise<Finding> {
  try {
    const output = await run(program, ['--version'], { env: { LC_ALL: 'C' } });
    return { state: 'ok', detail: output.split('\n')[0] ?? '' };
  } catch (error) {
    if (!(error instanceof ProgramFault)) throw error;
    if (error.code === 'PROGRAM_MISSING') return { state: 'missing', detail: 'not in PATH' };
    const version = error.output.split('\n').find((line) => /^[^:]+ v?\d+\.\d/.test(line) && line.startsWith(program));
    return version === undefined ? { state: 'broken', detail: error.message } : { state: 'ok', detail: version };
  }
}
