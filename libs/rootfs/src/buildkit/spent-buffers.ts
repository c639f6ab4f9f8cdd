import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes between two collections; each takes less than a millisecond. */
const interval = 4 * 1024 * 1024;

/**
 * Lets go of what a connection has read and nobody needs any more. Node gets a new buffer for each read, and V8 collects them
 * only when there are 64 MiB, or its young generation has grown by as much. Whole images come through such connections, so
 * the young generation is collected after each few of their bytes; that takes less time than getting new memory does.
 */
export class SpentBuffers {
  readonly #collect = youngCollection();
  #bytes = 0;

  /** @param length  bytes that were read */
  add(length: number): void {
    this.#bytes += length;
    if (this.#bytes < interval) return;
    this.#bytes = 0;
    this.#collect({ type: 'minor', execution: 'sync' });
  }
}

/** V8 shows this function where a flag is set when the context is made. */
function youngCollection(): NodeJS.GCFunction {
  setFlagsFromString('--expose-gc');
  try {
    return runInNewContext('gc') as NodeJS.GCFunction;
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}
