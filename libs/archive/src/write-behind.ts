import { writeSync, writev } from 'node:fs';
import { setImmediate } from 'node:timers/promises';

/** How many buffers may be on their way. */
const mostBuffers = 8;

interface Part {
  readonly buffer: Buffer;
  readonly length: number;
  readonly position: number;
}

/**
 * Has full buffers of a file written by another thread, while this one fills the next. It hears that they are written
 * only when it comes back to the event loop: until then it runs out of buffers, and writes by itself.
 */
export class WriteBehind {
  readonly #fd: number;
  readonly #free: Buffer[] = [];
  #made = 0;
  /** One call at a time: a file is locked while it is written to, and threads that wait are missed elsewhere. */
  #writing: readonly Part[] = [];
  #waiting: Part[] = [];
  #failure: Error | undefined;
  #isDue = false;
  #onWritten: (() => void)[] = [];

  /** @param fd  open for writing; positions are always given, so that others may write there as well */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Whether {@link swap} would take a buffer. */
  get hasRoom(): boolean {
    return this.#free.length > 0 || this.#made < mostBuffers;
  }

  /** Whether it is time for {@link turn}: a buffer was taken since. */
  get isDue(): boolean {
    return this.#isDue;
  }

  /** Returns to the event loop, so that the other thread gets its next work; waits for it when no buffer is left. */
  async turn(): Promise<void> {
    this.#isDue = false;
    await (this.hasRoom ? setImmediate() : this.#written());
  }

  /**
   * Takes over the first `length` bytes of a buffer, which belong at `position`.
   *
   * @returns another buffer of the same size; undefined when there is none, and nothing was taken
   * @throws the system's error of an earlier write
   */
  swap(buffer: Buffer, length: number, position: number): Buffer | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    const other = this.#free.pop() ?? this.#make(buffer.length);
    if (other === undefined) return undefined;
    this.#isDue = true;
    this.#waiting.push({ buffer, length, position });
    if (this.#writing.length === 0) this.#writeNext();
    return other;
  }

  /** Writes here what the other thread may not have written yet, so that it can be read back: twice does no harm. */
  catchUp(): void {
    for (const { buffer, length, position } of [...this.#writing, ...this.#waiting]) {
      writeWhole(this.#fd, buffer, 0, length, position);
    }
  }

  /**
   * Waits until all is written: the file must stay open until then, whatever else failed.
   *
   * @throws the system's error, such as ENOSPC
   */
  async settle(): Promise<void> {
    while (this.#writing.length > 0) await this.#written();
    if (this.#failure !== undefined) throw this.#failure;
  }

  #written(): Promise<void> {
    return new Promise((resolve) => this.#onWritten.push(resolve));
  }

  #make(size: number): Buffer | undefined {
    if (this.#made === mostBuffers) return undefined;
    this.#made++;
    return Buffer.allocUnsafeSlow(size);
  }

  #writeNext(): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    // Between others lies what this thread wrote itself.
    const gap = this.#waiting.findIndex(
      ({ position }, index, { [index - 1]: before }) =>
        before !== undefined && before.position + before.length !== position,
    );
    const parts = this.#waiting.splice(0, gap < 0 ? this.#waiting.length : gap);
    this.#writing = parts;
    const buffers = parts.map(({ buffer, length }) => buffer.subarray(0, length));
    writev(this.#fd, buffers, first.position, (error, written) => {
      this.#failure ??= error ?? this.#writeRest(written);
      this.#free.push(...parts.map(({ buffer }) => buffer));
      this.#writing = [];
      this.#writeNext();
      for (const resolve of this.#onWritten.splice(0)) resolve();
    });
  }

  /** Only a full disk ends a write early; the next one tells so. */
  #writeRest(written: number): Error | undefined {
    try {
      let done = written;
      for (const { buffer, length, position } of this.#writing) {
        const from = Math.min(done, length);
        writeWhole(this.#fd, buffer, from, length, position);
        done -= from;
      }
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }
}

/** Writes `buffer[start…end)`; the buffer's first byte belongs at `position`. */
export function writeWhole(fd: number, buffer: Buffer, start: number, end: number, position: number): void {
  for (let at = start; at < end;) at += writeSync(fd, buffer, at, end - at, position + at);
}
