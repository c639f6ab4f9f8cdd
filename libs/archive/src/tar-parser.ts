import { ArchiveFault } from './fault.ts';
import type { ByteName } from './names.ts';

export type TarEntryType = 'file' | 'directory' | 'symlink' | 'link' | 'character' | 'block' | 'fifo';

export interface TarEntry {
  /** As the archive says it: may be absolute, begin with `./` or hold `..`; see `cleanName`. */
  readonly name: ByteName;
  readonly type: TarEntryType;
  /** Permission, setuid, setgid and sticky bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content that follow. */
  readonly size: number;
  /** Target of a symbolic link, or the first name of a hard link; else ''. */
  readonly linkName: ByteName;
  /** Where the content begins in the archive. */
  readonly offset: number;
}

export interface TarHandler {
  /** A new entry; its content, if any, follows. */
  entry(entry: TarEntry): void;
  /** The next bytes of the entry's content: `chunk[start…end)`, valid only during the call. */
  data(chunk: Buffer, start: number, end: number): void;
}

/**
 * Reads a tar archive from chunks of any size: ustar, pax (POSIX.1-2017) and GNU's long names and large numbers, as
 * written by GNU tar, bsdtar, BuildKit and buildah. Knows nothing of files or streams, copies no content.
 */
export class TarParser {
  readonly #handler: TarHandler;
  readonly #at: string;
  /** A header that is split over chunks, and how much of it has come. */
  readonly #split = Buffer.alloc(blockSize);
  #splitLength = 0;
  #position = 0;
  /** Bytes of content still to come, then of padding. */
  #content = 0;
  #padding = 0;
  /** Content of a header that describes the next entry, while it comes in. */
  #meta: { readonly flag: string; readonly body: Buffer; filled: number } | undefined;
  readonly #global: Overrides = {};
  #hasGlobal = false;
  #next: Overrides = {};
  #ended = false;

  /** @param at  the archive's name, for faults */
  constructor(handler: TarHandler, at: string) {
    this.#handler = handler;
    this.#at = at;
  }

  /** @throws ArchiveFault ARCHIVE_INVALID, ENTRY_UNSUPPORTED */
  push(bytes: Uint8Array): void {
    const chunk = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < chunk.length && !this.#ended;) {
      const step =
        this.#content > 0
          ? this.#takeContent(chunk, at)
          : this.#padding > 0
            ? this.#skipPadding(chunk.length - at)
            : this.#takeHeader(chunk, at);
      at += step;
      this.#position += step;
    }
  }

  /** @throws ArchiveFault ARCHIVE_TRUNCATED when the end mark has not come */
  end(): void {
    if (this.#ended) return;
    throw new ArchiveFault('ARCHIVE_TRUNCATED', `the tar archive ends too early, after ${this.#position} bytes`, {
      at: this.#at,
      hint: 'It was cut off while it was written or copied. Make it again.',
    });
  }

  #takeContent(chunk: Buffer, at: number): number {
    const length = Math.min(this.#content, chunk.length - at);
    const meta = this.#meta;
    if (meta === undefined) {
      this.#handler.data(chunk, at, at + length);
    } else {
      chunk.copy(meta.body, meta.filled, at, at + length);
      meta.filled += length;
    }
    this.#content -= length;
    if (this.#content === 0 && meta !== undefined) this.#endMeta(meta.flag, meta.body);
    return length;
  }

  #skipPadding(available: number): number {
    const length = Math.min(this.#padding, available);
    this.#padding -= length;
    return length;
  }

  #takeHeader(chunk: Buffer, at: number): number {
    if (this.#splitLength === 0 && chunk.length - at >= blockSize) {
      this.#header(chunk, at, this.#position + blockSize);
      return blockSize;
    }
    const length = Math.min(blockSize - this.#splitLength, chunk.length - at);
    chunk.copy(this.#split, this.#splitLength, at, at + length);
    this.#splitLength += length;
    if (this.#splitLength === blockSize) {
      this.#splitLength = 0;
      this.#header(this.#split, 0, this.#position + length);
    }
    return length;
  }

  /** @param at  where the header begins in `block`; its fields are counted from there */
  #header(block: Buffer, at: number, offset: number): void {
    if (block[at] === 0 && isZero(block, at)) {
      this.#ended = true;
      return;
    }
    if (!hasRightSum(block, at)) throw this.#invalid(offset - blockSize, 'the check sum of a header is wrong');
    const flag = String.fromCharCode(block[at + 156] ?? 0);
    if ('xgLK'.includes(flag)) {
      this.#startMeta(flag, this.#number(block, at + 124, 12, offset));
      return;
    }
    const { name, linkName, size, uid, gid, sparse } = this.#overrides();
    const shortName = name ?? headerName(block, at);
    const type = entryType(flag, shortName);
    if (type === undefined || sparse === true)
      throw this.#unsupported(shortName, flag, sparse === true || flag === 'S');
    const content = type === 'file' ? (size ?? this.#number(block, at + 124, 12, offset)) : 0;
    this.#content = content;
    this.#padding = -content & (blockSize - 1);
    this.#handler.entry({
      name: shortName,
      type,
      mode: this.#number(block, at + 100, 8, offset) & 0o7777,
      uid: uid ?? this.#number(block, at + 108, 8, offset),
      gid: gid ?? this.#number(block, at + 116, 8, offset),
      size: content,
      linkName: linkName ?? text(block, at + 157, at + 257),
      offset,
    });
  }

  /** What headers before this one say of it. */
  #overrides(): Overrides {
    const found = this.#hasGlobal ? { ...this.#global, ...this.#next } : this.#next;
    this.#next = {};
    return found;
  }

  #startMeta(flag: string, size: number): void {
    if (size > largestMeta) {
      throw this.#invalid(this.#position, `a header for long names claims ${size} bytes`);
    }
    this.#content = size;
    this.#padding = -size & (blockSize - 1);
    this.#meta = { flag, body: Buffer.allocUnsafe(size), filled: 0 };
    if (size === 0) this.#endMeta(flag, Buffer.alloc(0));
  }

  #endMeta(flag: string, body: Buffer): void {
    this.#meta = undefined;
    if (flag === 'L') this.#next.name = text(body, 0, body.length);
    else if (flag === 'K') this.#next.linkName = text(body, 0, body.length);
    else this.#paxRecords(body, flag === 'g' ? this.#global : this.#next);
    this.#hasGlobal ||= flag === 'g';
  }

  /** `LENGTH KEY=VALUE\n` again and again; the length counts the whole record. */
  #paxRecords(body: Buffer, target: Overrides): void {
    for (let start = 0; start < body.length;) {
      let length = 0;
      let blank = start;
      for (let digit = body[blank]; digit !== undefined && digit >= 48 && digit <= 57; digit = body[++blank]) {
        length = length * 10 + digit - 48;
      }
      const end = start + length;
      const equals = body.indexOf(61, blank);
      if (body[blank] !== 32 || end > body.length || equals < 0 || equals >= end || body[end - 1] !== 10) {
        throw this.#invalid(this.#position, 'a pax header is damaged');
      }
      // Times (`mtime` and the like) are in nearly every header, and of no use here.
      if (body[equals - 2] !== 109) {
        this.#override(
          target,
          body.toString('latin1', blank + 1, equals),
          body.toString('latin1', equals + 1, end - 1),
        );
      }
      start = end;
    }
  }

  #override(target: Overrides, key: string, value: string): void {
    if (key === 'path') target.name = value;
    else if (key === 'linkpath') target.linkName = value;
    else if (key === 'size' || key === 'uid' || key === 'gid') target[key] = this.#decimal(key, value);
    else if (key.startsWith('GNU.sparse.')) target.sparse = true;
  }

  #decimal(key: string, value: string): number {
    const number = /^[0-9]{1,15}$/.test(value) ? Number(value) : NaN;
    if (Number.isNaN(number))
      throw this.#invalid(this.#position, `a pax header gives ${key} as "${value.slice(0, 40)}"`);
    return number;
  }

  /** An octal field, or GNU's binary form, marked by the first byte's highest bit. */
  #number(block: Buffer, start: number, length: number, offset: number): number {
    let value = 0;
    if ((block[start] ?? 0) === 0x80) {
      for (let index = start + 1; index < start + length; index++) value = value * 256 + (block[index] ?? 0);
    } else {
      for (let index = start; index < start + length; index++) {
        const byte = block[index] ?? 0;
        if (byte === 32 || byte === 0) {
          if (value > 0) break;
        } else if (byte >= 48 && byte <= 55) {
          value = value * 8 + byte - 48;
        } else {
          throw this.#invalid(offset - blockSize, 'a number in a header is no octal number');
        }
      }
    }
    if (!Number.isSafeInteger(value)) throw this.#invalid(offset - blockSize, 'a number in a header is too large');
    return value;
  }

  #invalid(position: number, message: string): ArchiveFault {
    return new ArchiveFault('ARCHIVE_INVALID', `${message} (at byte ${position})`, {
      at: this.#at,
      hint: 'It is no tar archive, or it is damaged.',
    });
  }

  #unsupported(name: ByteName, flag: string, sparse: boolean): ArchiveFault {
    const what = sparse ? 'a sparse file' : `an entry of type ${JSON.stringify(flag)}`;
    return new ArchiveFault('ENTRY_UNSUPPORTED', `${JSON.stringify(name)} is ${what}`, {
      at: this.#at,
      hint: sparse
        ? 'Make the archive without --sparse (bsdtar: with --no-read-sparse).'
        : 'Make the archive with --format=pax.',
    });
  }
}

interface Overrides {
  name?: ByteName;
  linkName?: ByteName;
  size?: number;
  uid?: number;
  gid?: number;
  sparse?: boolean;
}

const blockSize = 512;

/** No sensible set of names is longer; a hostile archive could claim anything. */
const largestMeta = 1024 * 1024;

const types: Readonly<Record<string, TarEntryType>> = {
  '\0': 'file',
  '0': 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
  '7': 'file',
};

function entryType(flag: string, name: ByteName): TarEntryType | undefined {
  const type = types[flag];
  // Before ustar, a final slash was the only sign of a directory.
  return type === 'file' && name.endsWith('/') ? 'directory' : type;
}

function headerName(block: Buffer, at: number): ByteName {
  const name = text(block, at, at + 100);
  const hasPrefix = block[at + 345] !== 0 && block.toString('latin1', at + 257, at + 263) === 'ustar\0';
  return hasPrefix ? `${text(block, at + 345, at + 500)}/${name}` : name;
}

function text(bytes: Buffer, start: number, limit: number): string {
  let end = start;
  while (end < limit && bytes[end] !== 0) end++;
  return bytes.toString('latin1', start, end);
}

function isZero(block: Buffer, at: number): boolean {
  return block.subarray(at, at + blockSize).every((byte) => byte === 0);
}

/** The sum of all bytes, the field itself taken as blanks; old programs summed signed bytes. */
function hasRightSum(block: Buffer, at: number): boolean {
  const said = parseInt(block.toString('latin1', at + 148, at + 156), 8);
  let sum = sumOf(block, at) + 8 * 32;
  for (let index = at + 148; index < at + 156; index++) sum -= block[index] ?? 0;
  return said === sum || said === sum - 256 * countHigh(block, at);
}

/** Four bytes at a time where the memory allows it: one bit mask adds two of them, and no lane can overflow. */
function sumOf(block: Buffer, at: number): number {
  const start = block.byteOffset + at;
  const header = start % 4 === 0 ? block : Buffer.from(block.subarray(at, at + blockSize));
  const words = new Uint32Array(header.buffer, header === block ? start : header.byteOffset, blockSize / 4);
  let lanes = 0;
  // Counted, since an iterator makes this the slowest part of all while the code is not optimised yet.
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? 0;
    lanes += (word & 0xff00ff) + ((word >>> 8) & 0xff00ff);
  }
  return (lanes % 0x10000) + Math.floor(lanes / 0x10000);
}

function countHigh(block: Buffer, at: number): number {
  let high = 0;
  for (let index = at; index < at + blockSize; index++) {
    if (index === at + 148) index = at + 156;
    high += (block[index] ?? 0) >> 7;
  }
  return high;
}
