import { basename } from 'node:path';
import type { BuildOptions } from '@nx-kraft/kernel';

/**
 * Tells the steps of make: on a terminal the newest one on a line that is written over, with how many there are in all,
 * elsewhere a plain line for each library, when its first file is compiled.
 */
export function stepReporter(
  output: NodeJS.WriteStream,
): Pick<BuildOptions, 'onStep' | 'onTotal'> & { readonly end: () => void } {
  let count = 0;
  let total = '';
  let library = '';
  if (output.isTTY) {
    return {
      onTotal: (steps) => {
        // The configuration had steps of its own.
        count = 0;
        total = `/${steps}`;
      },
      onStep: (step) => {
        // Under Nx a terminal may say that it is 0 columns wide.
        const width = output.columns > 0 ? output.columns : 80;
        const file = basename(step.file);
        const what = step.library === undefined ? file : `${step.library}: ${file}`;
        output.write(`\r\u001B[K${`${++count}${total} ${what}`.slice(0, width - 1)}`);
      },
      end: () => output.write('\r\u001B[K'),
    };
  }
  return {
    onStep: (step) => {
      if (step.tool !== 'CC' || step.library === undefined || step.library === library) return;
      library = step.library;
      output.write(`compiling ${library}\n`);
    },
    end: () => undefined,
  };
}
