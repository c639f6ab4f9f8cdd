import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes between two collections, which take a few milliseconds each; half as many save no more memory. */
const interval = 4 * 1024 * 1024;

/**
 * Lets go of what went through a connection and nobody needs any more. Node gets a new buffer for each read, and V8 collects
 * them only when there are 64 MiB, or its young generation has grown by as much. Whole images go through such connections,
 * so the young generation is collected after each few of their bytes; that takes less time than getting new memory does.
 */
export class SpentBuffers {
  #bytes = 0;

  /** @param length  bytes that were read or written */
  add(length: number): void {
    this.#bytes += length;
    if (this.#bytes < interval) return;
    this.#bytes = 0;
    collect ??= findCollection();
    collect({ type: 'minor', execution: 'sync' });
  }
}

let collect: NodeJS.GCFunction | undefined;

/** V8 shows this function where a flag is set when a context is made. */
function findCollection(): NodeJS.GCFunction {
  setFlagsFromString('--expose-gc');
  try {
    return runInNewContext('gc') as NodeJS.GCFunction;
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}
