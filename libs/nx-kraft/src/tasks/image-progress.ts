import { type Outcome, type TransferOptions, formatSize } from '@nx-kraft/oci';

/** Milliseconds between two looks of a line that is written over. */
const interval = 100;

/**
 * Tells how a transfer of an image goes on, as bytes that are done of all: on a terminal on a line that is written over,
 * elsewhere a line for each blob that was large.
 *
 * @param verb  what has happened to blobs then: `sent` or `received`
 */
export function transferReporter(
  output: NodeJS.WriteStream,
  verb: Outcome,
): { readonly progress: TransferOptions; readonly end: () => void; readonly sent: () => number } {
  let bytes = 0;
  let total = 0;
  let count = 0;
  let shownAt = 0;
  // What had to be sent again counts twice.
  const state = (): string => `${verb} ${formatSize(Math.min(bytes, total))} of ${formatSize(total)}`;
  return {
    progress: {
      onTotal: (sum) => {
        total = sum;
      },
      onBytes: (length) => {
        bytes += length;
        const now = Date.now();
        if (!output.isTTY || now - shownAt < interval) return;
        shownAt = now;
        output.write(`\r\u001B[K${state()}`);
      },
      onBlob: ({ size }, outcome) => {
        if (outcome === verb) count++;
        else bytes += size;
        if (!output.isTTY && outcome === verb && size >= largeBlob) output.write(`${state()}\n`);
      },
    },
    end: () => {
      if (shownAt > 0) output.write('\r\u001B[K');
    },
    sent: () => count,
  };
}

/** Bytes from which on a blob is worth a line. */
const largeBlob = 1_000_000;
