/**
 * How long the beginning of a line may wait for its rest, in milliseconds: a prompt must show, and an emulated guest on a busy
 * machine may rest for some tenths of a second.
 */
const patience = 1000;

/**
 * Writes a guest's console to a task's output. A serial line brings a few characters at a time, and Nx ends the line
 * after whatever one write brings, so that whole lines are written; a terminal gets everything as it comes.
 */
export class ConsoleOutput {
  readonly #output: NodeJS.WriteStream;
  readonly #prefix: string;
  #waiting: Uint8Array[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isWithinLine = false;

  /** @param prefix  what each line begins with */
  constructor(output: NodeJS.WriteStream, prefix = '') {
    this.#output = output;
    this.#prefix = prefix;
  }

  write(chunk: Uint8Array): void {
    const end = this.#output.isTTY && this.#prefix === '' ? chunk.length : chunk.lastIndexOf(lineFeed) + 1;
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
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    if (bytes.length > 0) this.#output.write(this.#prefix === '' ? bytes : this.#withPrefix(bytes));
  }

  /** As Latin-1, which keeps each byte as it is, whatever the guest's text is encoded in. */
  #withPrefix(bytes: Buffer): Buffer {
    const prefix = Buffer.from(this.#prefix).toString('latin1');
    const text = bytes.toString('latin1').replaceAll(/\n(?=[^])/g, () => `\n${prefix}`);
    const whole = this.#isWithinLine ? text : `${prefix}${text}`;
    this.#isWithinLine = !text.endsWith('\n');
    return Buffer.from(whole, 'latin1');
  }
}

const lineFeed = 10;
