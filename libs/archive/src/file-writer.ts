import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { ArchiveFault } from './fault.ts';
import type { ByteName } from './names.ts';

/** What was written: `digest` is `sha256:` and hex digits if it was asked for, `size` is in bytes. */
export interface Written {
  readonly digest: string | undefined;
  readonly size: number;
}

/** Fits the second-level cache; larger buffers made large files slower. */
const bufferSize = 256 * 1024;

/** From here on, one more write costs less than a copy into the buffer. */
const largeWrite = 64 * 1024;

/**
 * Writes one file from its start to its end through one buffer. All calls are synchronous: handing each small file to
 * the thread pool costs ten times the work itself.
 */
export class FileWriter {
  /** Filled up to {@link used}; who writes into it calls {@link reserve} first and {@link advance} after. */
  readonly buffer = Buffer.allocUnsafeSlow(bufferSize);
  readonly #fd: number;
  readonly #hash: Hash | undefined;
  #used = 0;
  #flushed = 0;

  /**
   * @param fd  open for writing and reading, at position 0
   * @param digest  whether {@link finish} is to give the SHA-256 (default true); taking it costs as much as writing
   */
  constructor(fd: number, { digest = true }: { digest?: boolean } = {}) {
    this.#fd = fd;
    this.#hash = digest ? createHash('sha256') : undefined;
  }

  /** Bytes written so far: the position of the next byte. */
  get position(): number {
    return this.#flushed + this.#used;
  }

  /** Makes room for `length` bytes (at most 64 KiB) and tells where they begin in {@link buffer}. */
  reserve(length: number): number {
    if (bufferSize - this.#used < length) this.#flush();
    return this.#used;
  }

  advance(length: number): void {
    this.#used += length;
  }

  /** Writes `source[start…end)`. */
  bytes(source: Buffer, start = 0, end = source.length): void {
    if (end - start >= largeWrite) {
      this.#flush();
      this.#write(source, start, end);
      return;
    }
    for (let from = start; from < end;) {
      const length = Math.min(end - from, this.#room());
      source.copy(this.buffer, this.#used, from, from + length);
      this.#used += length;
      from += length;
    }
  }

  /** Writes a text of one byte for each character, and `zeros` zeros behind it. */
  text(text: ByteName, zeros: number): void {
    if (text.length > largeWrite) {
      this.bytes(Buffer.from(text, 'latin1'));
      text = '';
    }
    let at = this.reserve(text.length + zeros);
    // Most are short: a call of write() takes longer than these.
    for (let index = 0; index < text.length; index++) this.buffer[at++] = text.charCodeAt(index);
    for (const end = at + zeros; at < end; at++) this.buffer[at] = 0;
    this.#used = at;
  }

  /** Zeros up to the next multiple of `unit` (at most 64 KiB). */
  align(unit: number): void {
    const rest = this.position % unit;
    if (rest === 0) return;
    let at = this.reserve(unit - rest);
    // Mostly three bytes or less: a call of fill() takes longer.
    for (const end = at + unit - rest; at < end; at++) this.buffer[at] = 0;
    this.#used = at;
  }

  /**
   * Reads a file from its position to its end, straight into the buffer.
   *
   * @param size  how many bytes it must hold
   * @param path  the file's name, for the fault
   * @throws ArchiveFault FILE_CHANGED when it holds fewer or more
   */
  wholeFile(fd: number, size: number, path: string): void {
    for (let left = size; ;) {
      const room = this.#room();
      // One byte more than is due tells of a file that grew, without another call for each file.
      const wanted = Math.min(left + 1, room);
      const length = readSync(fd, this.buffer, this.#used, wanted, null);
      if (length > left || (length === 0 && left > 0)) throw changed(path, length > left ? 'grew' : 'shrank');
      this.#used += length;
      left -= length;
      if (left === 0 && length < wanted) return;
    }
  }

  /**
   * Reads `size` bytes of a file from `offset` on.
   *
   * @throws ArchiveFault FILE_CHANGED when it ends before
   */
  slice(fd: number, offset: number, size: number, path: string): void {
    for (let done = 0; done < size;) {
      const room = this.#room();
      const length = readSync(fd, this.buffer, this.#used, Math.min(size - done, room), offset + done);
      if (length === 0) throw changed(path, 'shrank');
      this.#used += length;
      done += length;
    }
  }

  /** Copies `size` bytes that were written before, beginning at `offset`. */
  copyBack(offset: number, size: number): void {
    this.#flush();
    this.slice(this.#fd, offset, size, 'the archive itself');
  }

  /** Writes what is left; the file stays open. */
  finish(): Written {
    this.#flush();
    return { digest: this.#hash && `sha256:${this.#hash.digest('hex')}`, size: this.#flushed };
  }

  #room(): number {
    if (this.#used === bufferSize) this.#flush();
    return bufferSize - this.#used;
  }

  #flush(): void {
    this.#write(this.buffer, 0, this.#used);
    this.#used = 0;
  }

  #write(source: Buffer, start: number, end: number): void {
    this.#hash?.update(source.subarray(start, end));
    for (let from = start; from < end;) from += writeSync(this.#fd, source, from, end - from);
    this.#flushed += end - start;
  }
}

/**
 * Creates the file at `path` with what `write` writes. A file that could not be finished is removed.
 *
 * @param digest  whether to take the SHA-256 (default true)
 *
 * @throws what `write` throws, and the system's error when the disk is full
 */
export function createFile<T>(
  path: string | Buffer,
  write: (output: FileWriter) => T,
  options: { digest?: boolean } = {},
): T {
  const fd = openSync(path, 'w+');
  const output = new FileWriter(fd, options);
  try {
    return write(output);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}

/**
 * Gives a file to `take` in chunks, each valid only during the call. They have 256 KiB, so that the second-level cache still
 * holds what is taken out of them: four times as much takes a third longer, also when another thread reads ahead.
 */
export function readChunks(path: string | Buffer, take: (chunk: Buffer) => void): void {
  const buffer = Buffer.allocUnsafeSlow(bufferSize);
  const fd = openSync(path, 'r');
  try {
    for (let length = readSync(fd, buffer); length > 0; length = readSync(fd, buffer)) {
      take(buffer.subarray(0, length));
    }
  } finally {
    closeSync(fd);
  }
}

function changed(path: string, how: string): ArchiveFault {
  return new ArchiveFault('FILE_CHANGED', `the file ${how} while it was read`, {
    at: path,
    hint: 'Wait until the program that writes it has finished, and build again.',
  });
}
