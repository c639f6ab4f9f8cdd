import { ArchiveFault } from './fault.ts';
import type { ByteName } from './names.ts';

export interface CpioEntry {
  /** As the archive says it: may be absolute, begin with `./` or hold `..`; see `cleanName`. */
  readonly name: ByteName;
  /** Type and permission bits, as in `struct stat`. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly inode: number;
  readonly links: number;
  /** Modification time in seconds since 1970. */
  readonly time: number;
  /** Bytes of content that follow (a symbolic link's target included). */
  readonly size: number;
  /** Where the content begins in the archive. */
  readonly offset: number;
}

export interface CpioHandler {
  /** A new entry; its content, if any, follows. */
  entry(entry: CpioEntry): void;
  /** The next bytes of the entry's content: `chunk[start…end)`, valid only during the call. */
  data?(chunk: Uint8Array, start: number, end: number): void;
}

/**
 * Reads a CPIO archive in the formats newc (`070701`) and crc (`070702`) from chunks of any size, up to its end mark.
 */
export class CpioParser {
  readonly #handler: CpioHandler;
  readonly #at: string;
  /** The header that comes in, its fixed part first, then its name with what aligns it to 4 bytes. */
  readonly #header = Buffer.alloc(headerLength + longestName + 3);
  #filled = 0;
  #wanted = headerLength;
  #position = 0;
  /** Bytes of content still to come, then of padding. */
  #content = 0;
  #padding = 0;
  #ended = false;

  /** @param at  the archive's name, for faults */
  constructor(handler: CpioHandler, at: string) {
    this.#handler = handler;
    this.#at = at;
  }

  /** @throws ArchiveFault ARCHIVE_INVALID */
  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length && !this.#ended;) {
      const step = this.#step(chunk, at);
      at += step;
      this.#position += step;
    }
  }

  /** @throws ArchiveFault ARCHIVE_TRUNCATED when the end mark has not come */
  end(): void {
    if (this.#ended) return;
    throw new ArchiveFault('ARCHIVE_TRUNCATED', `the CPIO archive ends too early, after ${this.#position} bytes`, {
      at: this.#at,
      hint: 'It was cut off while it was written or copied. Make it again.',
    });
  }

  #step(chunk: Uint8Array, at: number): number {
    const available = chunk.length - at;
    if (this.#content > 0) {
      const length = Math.min(this.#content, available);
      this.#handler.data?.(chunk, at, at + length);
      this.#content -= length;
      return length;
    }
    if (this.#padding > 0) {
      const length = Math.min(this.#padding, available);
      this.#padding -= length;
      return length;
    }
    const length = Math.min(this.#wanted - this.#filled, available);
    this.#header.set(chunk.subarray(at, at + length), this.#filled);
    this.#filled += length;
    if (this.#filled < this.#wanted) return length;
    const end = this.#position + length;
    if (this.#wanted === headerLength) this.#readNameLength(end);
    else this.#readEntry(end);
    return length;
  }

  #readNameLength(position: number): void {
    const magic = this.#header.toString('latin1', 0, 6);
    if (magic !== '070701' && magic !== '070702') {
      throw this.#invalid(position, 'there is no CPIO header where one must be');
    }
    const length = this.#number(94, position);
    if (length < 2 || length > longestName) throw this.#invalid(position, `a name claims ${length} bytes`);
    this.#wanted = (headerLength + length + 3) & ~3;
  }

  #readEntry(position: number): void {
    const size = this.#number(54, position);
    const nameEnd = headerLength + this.#number(94, position) - 1;
    if (this.#header[nameEnd] !== 0) throw this.#invalid(position, 'a name does not end where its header says');
    const name = this.#header.toString('latin1', headerLength, nameEnd);
    this.#filled = 0;
    this.#wanted = headerLength;
    if (name === 'TRAILER!!!') {
      this.#ended = true;
      return;
    }
    this.#content = size;
    this.#padding = -size & 3;
    this.#handler.entry({
      name,
      inode: this.#number(6, position),
      mode: this.#number(14, position),
      uid: this.#number(22, position),
      gid: this.#number(30, position),
      links: this.#number(38, position),
      time: this.#number(46, position),
      size,
      offset: position,
    });
  }

  #number(start: number, position: number): number {
    const digits = this.#header.toString('latin1', start, start + 8);
    if (!/^[0-9a-fA-F]{8}$/.test(digits)) throw this.#invalid(position, `"${digits}" is no number`);
    return parseInt(digits, 16);
  }

  #invalid(position: number, message: string): ArchiveFault {
    return new ArchiveFault('ARCHIVE_INVALID', `${message} (before byte ${position})`, {
      at: this.#at,
      hint: 'It is no CPIO archive of the format newc, or it is damaged. Make it with: cpio -o -H newc',
    });
  }
}

const headerLength = 110;

/** The final zero included; no guest opens longer paths (PATH_MAX). */
const longestName = 4096;
