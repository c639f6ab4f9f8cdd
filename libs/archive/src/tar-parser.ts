import { ArchiveFault } from './fault.ts';
import type { ByteName } from './names.ts';
import {
  blockSize,
  entryType,
  fieldNumber,
  fieldText,
  hasRightSum,
  headerName,
  isZeroBlock,
  type TarEntryType,
  wordsOf,
} from './tar-fields.ts';
import { type Overrides, readPaxRecords } from './tar-pax.ts';
import { checkRegions, ContentMap, HeaderMap, SparseContent, type SparseMap, type SparseRegion } from './tar-sparse.ts';

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
}

export interface TarHandler {
  /** A new entry; its content, if any, follows. */
  entry(entry: TarEntry): void;
  /** The next bytes of the entry's content: `chunk[start…end)`, valid only during the call. */
  data(chunk: Buffer, start: number, end: number): void;
}

interface Meta {
  readonly flag: number;
  readonly body: Buffer;
  readonly filled: number;
}

/**
 * Reads a tar archive from chunks of any size: ustar, pax (POSIX.1-2017) and GNU's long names, large numbers and sparse
 * files, as written by GNU tar, bsdtar, BuildKit and buildah. Knows nothing of files or streams, copies no content; the
 * holes of sparse files come as zeros.
 */
export class TarParser {
  readonly #handler: TarHandler;
  readonly #at: string;
  /** A header that is split over chunks, or does not begin at a word, and how much of it has come. */
  readonly #split = Buffer.alloc(blockSize);
  readonly #splitWords = new Uint32Array(this.#split.buffer, this.#split.byteOffset, blockSize / 4);
  #splitLength = 0;
  /** The chunk that is at hand, as words. */
  #words: Uint32Array | undefined;
  #position = 0;
  /** Bytes of content still to come, then of padding. */
  #content = 0;
  #padding = 0;
  /** Content of a header that describes the next entry, while it comes in pieces. */
  #meta: Meta | undefined;
  readonly #global: Overrides = {};
  #hasGlobal = false;
  #next: Overrides = {};
  #hasNext = false;
  /** A sparse file whose map still comes: its entry, with the size of what is stored, and its real size. */
  #mapped: { readonly entry: TarEntry; readonly map: SparseMap; readonly realSize: number } | undefined;
  #sparse: SparseContent | undefined;
  #ended = false;

  /** @param at  the archive's name, for faults */
  constructor(handler: TarHandler, at: string) {
    this.#handler = handler;
    this.#at = at;
  }

  /** @throws ArchiveFault ARCHIVE_INVALID, ENTRY_UNSUPPORTED */
  push(bytes: Uint8Array): void {
    const chunk = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#words = wordsOf(chunk);
    for (let at = 0; at < chunk.length && !this.#ended;) {
      const step =
        this.#content > 0 && this.#mapped === undefined
          ? this.#takeContent(chunk, at)
          : this.#padding > 0 && this.#mapped === undefined
            ? this.#skipPadding(chunk.length - at)
            : this.#takeBlock(chunk, at);
      at += step;
      this.#position += step;
    }
  }

  /** @throws ArchiveFault ARCHIVE_TRUNCATED when the end mark has not come */
  end(): void {
    if (this.#ended) return;
    throw new ArchiveFault('ARCHIVE_TRUNCATED', `the tar archive ends too early, after ${this.#position} bytes`, {
      at: this.#at,
      hint: 'It was cut off while it was written or copied, or is something else. Make it again.',
    });
  }

  #takeContent(chunk: Buffer, at: number): number {
    const length = Math.min(this.#content, chunk.length - at);
    this.#content -= length;
    if (this.#meta !== undefined) this.#takeMeta(this.#meta, chunk, at, length);
    else if (this.#sparse === undefined) this.#handler.data(chunk, at, at + length);
    else this.#takeSparse(this.#sparse, chunk, at, length);
    return length;
  }

  #takeSparse(sparse: SparseContent, chunk: Buffer, at: number, length: number): void {
    sparse.take(chunk, at, at + length);
    if (this.#content > 0) return;
    sparse.finish();
    this.#sparse = undefined;
  }

  #skipPadding(available: number): number {
    const length = Math.min(this.#padding, available);
    this.#padding -= length;
    return length;
  }

  /** A header, or a block of a sparse file's map. */
  #takeBlock(chunk: Buffer, at: number): number {
    if (this.#splitLength === 0 && chunk.length - at >= blockSize && at % 4 === 0 && this.#words !== undefined) {
      this.#block(chunk, at, this.#words);
      return blockSize;
    }
    const length = Math.min(blockSize - this.#splitLength, chunk.length - at);
    chunk.copy(this.#split, this.#splitLength, at, at + length);
    this.#splitLength += length;
    if (this.#splitLength === blockSize) {
      this.#splitLength = 0;
      this.#block(this.#split, 0, this.#splitWords);
    }
    return length;
  }

  #block(block: Buffer, at: number, words: Uint32Array): void {
    if (this.#mapped !== undefined) this.#takeMap(block, at);
    else if (block[at] === 0 && isZeroBlock(block, at)) this.#ended = true;
    else if (hasRightSum(block, at, words)) this.#header(block, at);
    else throw this.#invalid('the check sum of a header is wrong');
  }

  /** @param at  where the header begins in `block`; its fields are counted from there */
  #header(block: Buffer, at: number): void {
    const flag = block[at + 156] ?? 0;
    if (flag === flags.pax || flag === flags.global || flag === flags.longName || flag === flags.longLink) {
      this.#startMeta(flag, this.#number(block, at + 124, 12));
      return;
    }
    const { name, linkName, size, uid, gid, sparse } = this.#overrides();
    const shortName = sparse?.name ?? name ?? headerName(block, at);
    const type = entryType(flag, shortName);
    if (type === undefined) throw this.#unsupported(shortName, flag);
    const entry = {
      name: shortName,
      type,
      mode: this.#number(block, at + 100, 8) & 0o7777,
      uid: uid ?? this.#number(block, at + 108, 8),
      gid: gid ?? this.#number(block, at + 116, 8),
      size: type === 'file' ? (size ?? this.#number(block, at + 124, 12)) : 0,
      linkName: type === 'symlink' || type === 'link' ? (linkName ?? fieldText(block, at + 157, at + 257)) : '',
    };
    this.#content = entry.size;
    this.#padding = -entry.size & (blockSize - 1);
    if (flag === flags.sparse) {
      const map = new HeaderMap(block, at);
      const realSize = this.#number(block, at + 483, 12);
      if (map.isExtended) this.#mapped = { entry, map, realSize };
      else this.#startSparse(entry, map.regions, realSize);
    } else if (sparse === undefined || type !== 'file') {
      this.#handler.entry(entry);
    } else if (sparse.major === 0) {
      this.#startSparse(entry, sparse.regions, sparse.realSize ?? NaN);
    } else {
      this.#mapped = { entry, map: new ContentMap(), realSize: sparse.realSize ?? NaN };
    }
  }

  #takeMap(block: Buffer, at: number): void {
    const mapped = this.#mapped;
    if (mapped === undefined) return;
    const { entry, map, realSize } = mapped;
    const isPartOfContent = map instanceof ContentMap;
    if (isPartOfContent && this.#content < blockSize) throw this.#invalid('the map of a sparse file is not whole');
    if (isPartOfContent) this.#content -= blockSize;
    const isWhole = map.take(block, at);
    if (typeof isWhole === 'string') throw this.#invalid(isWhole);
    if (!isWhole) return;
    this.#mapped = undefined;
    this.#startSparse(entry, map.regions, realSize);
  }

  #startSparse(entry: TarEntry, regions: readonly SparseRegion[], realSize: number): void {
    const fault = checkRegions(regions, realSize, this.#content);
    if (fault !== undefined) throw this.#invalid(fault);
    this.#handler.entry({ ...entry, size: realSize });
    const sparse = new SparseContent(regions, realSize, (chunk, start, end) => this.#handler.data(chunk, start, end));
    if (this.#content === 0) sparse.finish();
    else this.#sparse = sparse;
  }

  /** What headers before this one say of it. */
  #overrides(): Overrides {
    if (!this.#hasNext) return this.#global;
    const found = this.#hasGlobal ? { ...this.#global, ...this.#next } : this.#next;
    this.#next = {};
    this.#hasNext = false;
    return found;
  }

  #startMeta(flag: number, size: number): void {
    if (size > largestMeta) throw this.#invalid(`a header for long names claims ${size} bytes`);
    this.#content = size;
    this.#padding = -size & (blockSize - 1);
    this.#meta = { flag, body: noBytes, filled: 0 };
    if (size === 0) this.#endMeta(flag, noBytes, 0, 0);
  }

  /** Reads such a header where it is; only what comes in pieces is put together. */
  #takeMeta(meta: Meta, chunk: Buffer, at: number, length: number): void {
    if (this.#content === 0 && meta.filled === 0) {
      this.#endMeta(meta.flag, chunk, at, at + length);
      return;
    }
    const body = meta.filled === 0 ? Buffer.allocUnsafe(length + this.#content) : meta.body;
    chunk.copy(body, meta.filled, at, at + length);
    const filled = meta.filled + length;
    this.#meta = { ...meta, body, filled };
    if (this.#content === 0) this.#endMeta(meta.flag, body, 0, filled);
  }

  #endMeta(flag: number, body: Buffer, start: number, end: number): void {
    this.#meta = undefined;
    const isGlobal = flag === flags.global;
    if (flag === flags.longName) this.#next.name = fieldText(body, start, end);
    else if (flag === flags.longLink) this.#next.linkName = fieldText(body, start, end);
    else {
      const fault = readPaxRecords(body, start, end, isGlobal ? this.#global : this.#next);
      if (fault !== undefined) throw this.#invalid(fault);
    }
    this.#hasGlobal ||= isGlobal;
    this.#hasNext ||= !isGlobal;
  }

  #number(block: Buffer, start: number, length: number): number {
    const value = fieldNumber(block, start, length);
    if (Number.isNaN(value)) throw this.#invalid('a number in a header is no octal number, or too large');
    return value;
  }

  #invalid(message: string): ArchiveFault {
    return new ArchiveFault('ARCHIVE_INVALID', `${message} (near byte ${this.#position})`, {
      at: this.#at,
      hint: 'It is no tar archive, or it is damaged.',
    });
  }

  #unsupported(name: ByteName, flag: number): ArchiveFault {
    const type = JSON.stringify(String.fromCharCode(flag));
    return new ArchiveFault('ENTRY_UNSUPPORTED', `${JSON.stringify(name)} is an entry of type ${type}`, {
      at: this.#at,
      hint: 'Make the archive with --format=pax.',
    });
  }
}

/** Headers that describe the next entry, or all, and GNU's old form of sparse files. */
const flags = { pax: 0x78, global: 0x67, longName: 0x4c, longLink: 0x4b, sparse: 0x53 } as const;

/** No sensible set of names is longer; a hostile archive could claim anything. */
const largestMeta = 1024 * 1024;

const noBytes = Buffer.alloc(0);
