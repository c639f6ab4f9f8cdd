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
  data(chunk: Uint8Array, start: number, end: number): void;
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
  #global: Overrides = {};
  #next: Overrides = {};
  #ended = false;

  /** @param at  the archive's name, for faults */
  constructor(handler: TarHandler, at: string) {
    this.#handler = handler;
    this.#at = at;
  }

  /** @throws ArchiveFault ARCHIVE_INVALID, ENTRY_UNSUPPORTED */
  push(chunk: Uint8Array): void {
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

  #takeContent(chunk: Uint8Array, at: number): number {
    const length = Math.min(this.#content, chunk.length - at);
    const meta = this.#meta;
    if (meta === undefined) {
      this.#handler.data(chunk, at, at + length);
    } else {
      meta.body.set(chunk.subarray(at, at + length), meta.filled);
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

  #takeHeader(chunk: Uint8Array, at: number): number {
    if (this.#splitLength === 0 && chunk.length - at >= blockSize) {
      this.#header(Buffer.from(chunk.buffer, chunk.byteOffset + at, blockSize), this.#position + blockSize);
      return blockSize;
    }
    const length = Math.min(blockSize - this.#splitLength, chunk.length - at);
    this.#split.set(chunk.subarray(at, at + length), this.#splitLength);
    this.#splitLength += length;
    if (this.#splitLength === blockSize) {
      this.#splitLength = 0;
      this.#header(this.#split, this.#position + length);
    }
    return length;
  }

  #header(block: Buffer, offset: number): void {
    if (block[0] === 0 && isZero(block)) {
      this.#ended = true;
      return;
    }
    if (!hasRightSum(block)) throw this.#invalid(offset - blockSize, 'the check sum of a header is wrong');
    const flag = String.fromCharCode(block[156] ?? 0);
    if ('xgLK'.includes(flag)) {
      this.#startMeta(flag, this.#number(block, 124, 12, offset));
      return;
    }
    const { name, linkName, size, uid, gid, sparse } = { ...this.#global, ...this.#next };
    this.#next = {};
    const shortName = name ?? headerName(block);
    const type = entryType(flag, shortName);
    if (type === undefined || sparse === true)
      throw this.#unsupported(shortName, flag, sparse === true || flag === 'S');
    const content = type === 'file' ? (size ?? this.#number(block, 124, 12, offset)) : 0;
    this.#content = content;
    this.#padding = -content & (blockSize - 1);
    this.#handler.entry({
      name: shortName,
      type,
      mode: this.#number(block, 100, 8, offset) & 0o7777,
      uid: uid ?? this.#number(block, 108, 8, offset),
      gid: gid ?? this.#number(block, 116, 8, offset),
      size: content,
      linkName: linkName ?? text(block, 157, 257),
      offset,
    });
  }

  #startMeta(flag: string, size: number): void {
    if (size > largestMeta) {
      throw this.#invalid(this.#position, `a header for long names claims ${size} bytes`);
    }
    this.#content = size;
    this.#padding = -size & (blockSize - 1);
    this.#meta = { flag, body: Buffer.alloc(size), filled: 0 };
    if (size === 0) this.#endMeta(flag, Buffer.alloc(0));
  }

  #endMeta(flag: string, body: Buffer): void {
    this.#meta = undefined;
    if (flag === 'L') this.#next.name = text(body, 0, body.length);
    else if (flag === 'K') this.#next.linkName = text(body, 0, body.length);
    else if (flag === 'g') this.#global = { ...this.#global, ...this.#paxRecords(body) };
    else this.#next = { ...this.#next, ...this.#paxRecords(body) };
  }

  /** `LENGTH KEY=VALUE\n` again and again; the length counts the whole record. */
  #paxRecords(body: Buffer): Overrides {
    const found: Overrides = {};
    for (let start = 0; start < body.length;) {
      const blank = body.indexOf(32, start);
      const length = Number(body.toString('latin1', start, blank));
      const end = start + length;
      const equals = body.indexOf(61, blank);
      if (blank < 0 || !(length > 0) || end > body.length || equals < 0 || equals >= end || body[end - 1] !== 10) {
        throw this.#invalid(this.#position, 'a pax header is damaged');
      }
      const value = body.toString('latin1', equals + 1, end - 1);
      const key = body.toString('latin1', blank + 1, equals);
      if (key === 'path') found.name = value;
      else if (key === 'linkpath') found.linkName = value;
      else if (key === 'size' || key === 'uid' || key === 'gid') found[key] = this.#decimal(key, value);
      else if (key.startsWith('GNU.sparse.')) found.sparse = true;
      start = end;
    }
    return found;
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

function headerName(block: Buffer): ByteName {
  const name = text(block, 0, 100);
  const hasPrefix = block[345] !== 0 && block.toString('latin1', 257, 263) === 'ustar\0';
  return hasPrefix ? `${text(block, 345, 500)}/${name}` : name;
}

function text(bytes: Buffer, start: number, limit: number): string {
  let end = start;
  while (end < limit && bytes[end] !== 0) end++;
  return bytes.toString('latin1', start, end);
}

function isZero(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}

/** The sum of all bytes, the field itself taken as blanks; old programs summed signed bytes. */
function hasRightSum(block: Buffer): boolean {
  let unsigned = 256;
  let high = 0;
  for (let index = 0; index < blockSize; index++) {
    if (index === 148) index = 156;
    const byte = block[index] ?? 0;
    unsigned += byte;
    high += byte >> 7;
  }
  const said = parseInt(block.toString('latin1', 148, 156), 8);
  return said === unsigned || said === unsigned - 256 * high;
}
