import { open, type FileHandle } from 'node:fs/promises';
import { regularFile } from '@nx-kraft/base';

/** A program of Linux. Loaders on Unikraft need one that runs wherever it is put in memory. */
export interface LinuxProgram {
  /** Whether the system must bring its loader and libraries; if not, it runs wherever it is put in memory. */
  readonly needsLibraries: boolean;
}

/** Values of the ELF format (System V gABI, chapters 4 and 5). */
const headerSize = 64;
const programType = 2;
const sharedType = 3;
const interpreterSegment = 3;
const tableSegment = 6;
const dynamicSegment = 2;
/** DT_FLAGS_1 with DF_1_PIE, by which linkers tell static programs of this kind from libraries. */
const flagsTag = 0x6ffffffbn;
const pieFlag = 0x08000000n;

/**
 * Tells whether a file is a program of Linux for a 64-bit machine, and no kernel: Unikraft's have sections of their own. Of
 * static programs only those are told that are position-independent.
 *
 * @returns undefined for whatever else it is
 */
export async function inspectLinuxProgram(path: string): Promise<LinuxProgram | undefined> {
  const file = await open(regularFile(path));
  try {
    const header = await readPart(file, 0, headerSize);
    const isElf =
      header.length === headerSize && header.readUInt32BE(0) === 0x7f454c46 && header.readUInt16BE(4) === 0x0201;
    const type = isElf ? header.readUInt16LE(16) : 0;
    if (![programType, sharedType].includes(type) || (await hasUnikraftSections(file, header))) return undefined;
    const segments = await readEntries(
      file,
      header.readBigUInt64LE(32),
      header.readUInt16LE(54),
      header.readUInt16LE(56),
    );
    const find = (type: number) => segments.find((segment) => segment.readUInt32LE(0) === type);
    const needsLibraries = find(interpreterSegment) !== undefined;
    if (needsLibraries) return { needsLibraries };
    if (type === programType) return undefined;
    if (find(tableSegment) !== undefined) return { needsLibraries };
    const dynamic = find(dynamicSegment);
    if (dynamic === undefined) return undefined;
    const part = await readPart(file, Number(dynamic.readBigUInt64LE(8)), Number(dynamic.readBigUInt64LE(32)));
    return isMarked(part) ? { needsLibraries } : undefined;
  } finally {
    await file.close();
  }
}

function isMarked(dynamic: Buffer): boolean {
  for (let at = 0; at + 16 <= dynamic.length; at += 16) {
    if (dynamic.readBigUInt64LE(at) === flagsTag) return (dynamic.readBigUInt64LE(at + 8) & pieFlag) !== 0n;
  }
  return false;
}

async function hasUnikraftSections(file: FileHandle, header: Buffer): Promise<boolean> {
  const [size, count, names] = [58, 60, 62].map((at) => header.readUInt16LE(at));
  const sections = await readEntries(file, header.readBigUInt64LE(40), size ?? 0, count ?? 0);
  const text = sections[names ?? 0];
  if (text === undefined) return false;
  const all = await readPart(file, Number(text.readBigUInt64LE(24)), Number(text.readBigUInt64LE(32)));
  return /\.uk_\w+tab\0/.test(all.toString('latin1'));
}

/** The entries of one of the file's tables; none where it is not as it must be. */
async function readEntries(file: FileHandle, offset: bigint, size: number, count: number): Promise<readonly Buffer[]> {
  const whole = await readPart(file, Number(offset), size * count);
  if (size < 56 || whole.length < size * count) return [];
  return Array.from({ length: count }, (_, index) => whole.subarray(index * size, (index + 1) * size));
}

/** No table of a file that is meant to run is larger than this, in bytes. */
const largestPart = 4 * 1024 * 1024;

async function readPart(file: FileHandle, offset: number, size: number): Promise<Buffer> {
  if (size > largestPart || !Number.isSafeInteger(offset)) return Buffer.alloc(0);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, offset);
  return buffer.subarray(0, bytesRead);
}
