import type { ByteName } from './names.ts';

/** Size of a header, and what contents are padded to. */
export const blockSize = 512;

export type TarEntryType = 'file' | 'directory' | 'symlink' | 'link' | 'character' | 'block' | 'fifo';

/** By the header's type flag, as its byte. */
const types: Readonly<Record<number, TarEntryType>> = {
  0x00: 'file',
  0x30: 'file',
  0x31: 'link',
  0x32: 'symlink',
  0x33: 'character',
  0x34: 'block',
  0x35: 'directory',
  0x36: 'fifo',
  // Contiguous files, and GNU's sparse ones.
  0x37: 'file',
  0x53: 'file',
};

/** What a header's type flag means; undefined for flags that describe no entry of a file system. */
export function entryType(flag: number, name: ByteName): TarEntryType | undefined {
  const type = types[flag];
  // Before ustar, a final slash was the only sign of a directory.
  return type === 'file' && name.endsWith('/') ? 'directory' : type;
}

/** The name in a header that begins at `at`, its prefix included. */
export function headerName(block: Buffer, at: number): ByteName {
  const name = fieldText(block, at, at + 100);
  const hasPrefix = block[at + 345] !== 0 && block.toString('latin1', at + 257, at + 263) === 'ustar\0';
  return hasPrefix ? `${fieldText(block, at + 345, at + 500)}/${name}` : name;
}

/** The text from `start` up to a zero byte or `limit`. */
export function fieldText(bytes: Buffer, start: number, limit: number): string {
  if (bytes[start] === 0) return '';
  let end = start;
  while (end < limit && bytes[end] !== 0) end++;
  return bytes.toString('latin1', start, end);
}

/**
 * The number in a field: octal, or GNU's binary form, marked by the first byte's highest bit.
 *
 * @returns NaN when it is neither, or too large to be exact
 */
export function fieldNumber(block: Buffer, start: number, length: number): number {
  const end = start + length;
  let value = 0;
  if (block[start] === 0x80) {
    for (let index = start + 1; index < end; index++) value = value * 256 + (block[index] ?? 0);
    return Number.isSafeInteger(value) ? value : NaN;
  }
  for (let index = start; index < end; index++) {
    const byte = block[index] ?? 0;
    if (byte >= 48 && byte <= 55) value = value * 8 + byte - 48;
    else if (byte !== 32 && byte !== 0) return NaN;
    else if (value > 0) break;
  }
  return value;
}

export function isZeroBlock(block: Buffer, at: number): boolean {
  for (let index = at; index < at + blockSize; index++) if (block[index] !== 0) return false;
  return true;
}

/** A buffer as words of four bytes, for {@link hasRightSum}; undefined where its memory does not begin at one. */
export function wordsOf({ buffer, byteOffset, length }: Buffer): Uint32Array | undefined {
  return byteOffset % 4 === 0 ? new Uint32Array(buffer, byteOffset, length >>> 2) : undefined;
}

/**
 * Whether a header has the sum of its bytes that it says, the sum's own field taken as blanks.
 *
 * @param at  where the header begins in `block`, a multiple of 4
 * @param words  the same memory as `block`
 */
export function hasRightSum(block: Buffer, at: number, words: Uint32Array): boolean {
  const said = fieldNumber(block, at + 148, 8);
  let sum = sumOf(words, at >>> 2) + 8 * 32;
  for (let index = at + 148; index < at + 156; index++) sum -= block[index] ?? 0;
  return said === sum || said === sum - 256 * countHigh(block, at);
}

/** Four bytes at a time: one bit mask adds two of them, and no lane can overflow. */
function sumOf(words: Uint32Array, first: number): number {
  let lanes = 0;
  // Counted, since an iterator makes this the slowest part of all while the code is not optimised yet.
  for (let index = first, end = first + blockSize / 4; index < end; index++) {
    const word = words[index] ?? 0;
    lanes += (word & 0xff00ff) + ((word >>> 8) & 0xff00ff);
  }
  return (lanes % 0x10000) + Math.floor(lanes / 0x10000);
}

/** Old programs summed signed bytes. */
function countHigh(block: Buffer, at: number): number {
  let high = 0;
  for (let index = at; index < at + blockSize; index++) {
    if (index === at + 148) index = at + 156;
    high += (block[index] ?? 0) >> 7;
  }
  return high;
}
