import { type Outcome, type TransferOptions, formatSize } from '@nx-kraft/oci';

/** Milliseconds between two looks of a line that is written over. */
const interval = 100;

/**
 * Tells how a transfer of an image goes on: on a terminal on a line that is written over, elsewhere a line for each blob
 * that was large.
 *
 * @param verb  what has happened to blobs then: `sent` or `received`
 */
export function transferReporter(
  output: NodeJS.WriteStream,
  verb: Outcome,
): { readonly progress: TransferOptions; readonly end: () => void; readonly sent: () => number } {
  let bytes = 0;
  let count = 0;
  let shownAt = 0;
  return {
    progress: {
      onBytes: (length) => {
        bytes += length;
        const now = Date.now();
        if (!output.isTTY || now - shownAt < interval) return;
        shownAt = now;
        output.write(`\r\u001B[K${verb} ${formatSize(bytes)}`);
      },
      onBlob: ({ size }, outcome) => {
        if (outcome === verb) count++;
        if (!output.isTTY && outcome === verb && size >= largeBlob) output.write(`${verb} ${formatSize(size)}\n`);
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
