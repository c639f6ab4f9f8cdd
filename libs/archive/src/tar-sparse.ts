import { largestCpioFile } from './cpio-writer.ts';
import { blockSize, fieldNumber } from './tar-fields.ts';

/** A part of a sparse file that the archive holds; what lies between such parts is zeros. */
export interface SparseRegion {
  /** Where it begins in the file. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
}

/** The map of a sparse file, while it comes in blocks before the content. */
export interface SparseMap {
  readonly regions: SparseRegion[];
  /** Takes the next block; returns whether the map is whole, or what is wrong with it. */
  take(block: Buffer, at: number): boolean | string;
}

/** No sensible file has more regions; a hostile archive could claim anything. */
const mostRegions = 1_000_000;
const tooManyRegions = 'the map of a sparse file is too long';

/**
 * GNU's old form: four regions in the header itself, further ones in blocks of 21 behind it, as long as a flag says so.
 * What these blocks hold does not count as content.
 */
export class HeaderMap implements SparseMap {
  readonly regions: SparseRegion[] = [];
  /** Whether a block follows. */
  isExtended: boolean;

  /** @param at  where the header begins in `block` */
  constructor(block: Buffer, at: number) {
    this.isExtended = this.#read(block, at + 386, 4, at + 482);
  }

  take(block: Buffer, at: number): boolean | string {
    this.isExtended = this.#read(block, at, 21, at + 504);
    return this.regions.length > mostRegions ? tooManyRegions : !this.isExtended;
  }

  #read(block: Buffer, start: number, count: number, flag: number): boolean {
    for (let field = start; field < start + count * 24 && block[field] !== 0; field += 24) {
      this.regions.push({ offset: fieldNumber(block, field, 12), size: fieldNumber(block, field + 12, 12) });
    }
    return block[flag] !== 0;
  }
}

/**
 * GNU's pax form 1.0: decimal numbers, each with a newline, before the content and a part of it: how many regions, then
 * offset and size of each; zeros up to a whole block.
 */
export class ContentMap implements SparseMap {
  readonly regions: SparseRegion[] = [];
  readonly #numbers: number[] = [];
  #digits = '';

  take(block: Buffer, at: number): boolean | string {
    for (let index = at; index < at + blockSize; index++) {
      const byte = block[index] ?? 0;
      if (byte === 10) {
        if (this.#number()) return true;
      } else if (byte >= 48 && byte <= 57 && this.#digits.length < 15) {
        this.#digits += String.fromCharCode(byte);
      } else {
        return 'the map of a sparse file is damaged';
      }
    }
    return (this.#numbers[0] ?? 0) > mostRegions ? tooManyRegions : false;
  }

  /** A number is whole; returns whether the map is. */
  #number(): boolean {
    this.#numbers.push(Number(this.#digits));
    this.#digits = '';
    const [count = 0] = this.#numbers;
    const length = this.#numbers.length;
    if (length > 1 && length % 2 === 1) {
      this.regions.push({ offset: this.#numbers[length - 2] ?? 0, size: this.#numbers[length - 1] ?? 0 });
    }
    return length === 1 + 2 * count;
  }
}

/**
 * What is wrong with a sparse file's regions: they must follow each other inside the file, and be all that the archive
 * holds of it. Undefined when they are right.
 *
 * @param realSize  of the file, holes included
 * @param stored  bytes that the archive holds of it
 */
export function checkRegions(regions: readonly SparseRegion[], realSize: number, stored: number): string | undefined {
  let end = 0;
  let sum = 0;
  for (const { offset, size } of regions) {
    if (!(offset >= end && size >= 0)) return 'the regions of a sparse file overlap';
    end = offset + size;
    sum += size;
  }
  if (!(end <= realSize) || sum !== stored) return 'the regions of a sparse file are not those that follow';
  // Elsewhere, an archive is as large as what comes out of it.
  return realSize > largestCpioFile ? `a sparse file claims ${realSize} bytes` : undefined;
}

/** Gives the content of a sparse file as if it were none: stored bytes in their places, zeros between them. */
export class SparseContent {
  readonly #regions: readonly SparseRegion[];
  readonly #realSize: number;
  readonly #give: (chunk: Buffer, start: number, end: number) => void;
  #region = 0;
  #position = 0;

  constructor(
    regions: readonly SparseRegion[],
    realSize: number,
    give: (chunk: Buffer, start: number, end: number) => void,
  ) {
    this.#regions = regions.filter(({ size }) => size > 0);
    this.#realSize = realSize;
    this.#give = give;
  }

  /** Takes the next stored bytes. */
  take(chunk: Buffer, start: number, end: number): void {
    for (let from = start; from < end;) {
      const region = this.#regions[this.#region];
      // There are as many stored bytes as regions have room for.
      if (region === undefined) return;
      this.#zeros(region.offset);
      const length = Math.min(end - from, region.offset + region.size - this.#position);
      this.#give(chunk, from, from + length);
      this.#position += length;
      from += length;
      if (this.#position === region.offset + region.size) this.#region++;
    }
  }

  /** The hole at the end. */
  finish(): void {
    this.#zeros(this.#realSize);
  }

  #zeros(end: number): void {
    while (this.#position < end) {
      const length = Math.min(end - this.#position, zeros.length);
      this.#give(zeros, 0, length);
      this.#position += length;
    }
  }
}

const zeros = Buffer.alloc(64 * 1024);
