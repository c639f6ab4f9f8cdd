/** How long the beginning of a line may wait for its rest, in milliseconds: a prompt must show. */
const patience = 200;

/**
 * Writes a guest's console to a task's output. A serial line brings a few characters at a time, and Nx ends the line
 * after whatever one write brings, so that whole lines are written; a terminal gets everything as it comes.
 */
export class ConsoleOutput {
  readonly #output: NodeJS.WriteStream;
  #waiting: Uint8Array[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(output: NodeJS.WriteStream) {
    this.#output = output;
  }

  write(chunk: Uint8Array): void {
    const end = this.#output.isTTY ? chunk.length : chunk.lastIndexOf(lineFeed) + 1;
    if (end > 0) {
      this.#waiting.push(chunk.subarray(0, end));
      this.flush();
    }
    if (end === chunk.length) return;
    // The chunk's memory is QEMU's stream's; what waits must be a copy.
    this.#waiting.push(chunk.slice(end));
    this.#timer ??= setTimeout(() => this.flush(), patience);
  }

  /** Writes what waits. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length > 0) this.#output.write(Buffer.concat(this.#waiting));
    this.#waiting = [];
  }
}

const lineFeed = 10;
