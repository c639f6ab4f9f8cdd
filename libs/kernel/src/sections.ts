import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';

/** A section of an ELF file. */
export interface Section {
  readonly name: string;
  /** What it holds, as SHA-256 in hexadecimal. */
  readonly digest: string;
}

/** An entry of the section table: sizes and offsets in bytes. */
interface SectionEntry {
  readonly name: string;
  readonly offset: number;
  /** What it takes in memory. */
  readonly size: number;
  /** Whether the file holds its contents, which it does not where memory begins as zero. */
  readonly isInFile: boolean;
}

/** Reads the sections of a little-endian ELF file of 32 or 64 bits in the order of its section table (ELF gABI 4.1). */
export async function readSections(path: string): Promise<readonly Section[]> {
  return withFile(path, async (file) => {
    const sections: Section[] = [];
    for (const { name, offset, size, isInFile } of await readTable(file)) {
      const content = await readAt(file, offset, isInFile ? size : 0);
      sections.push({ name, digest: createHash('sha256').update(content).digest('hex') });
    }
    return sections;
  });
}

/** The bytes that all sections of one name take in memory, by their name; nothing for a file that is no ELF file. */
export async function readSectionSizes(path: string): Promise<ReadonlyMap<string, number>> {
  return withFile(path, async (file) => {
    const sizes = new Map<string, number>();
    if ((await readAt(file, 0, 4)).toString('latin1') !== '\u007fELF') return sizes;
    for (const { name, size } of await readTable(file)) sizes.set(name, (sizes.get(name) ?? 0) + size);
    return sizes;
  });
}

async function withFile<Result>(path: string, read: (file: FileHandle) => Promise<Result>): Promise<Result> {
  const file = await open(path);
  return read(file).finally(() => file.close());
}

async function readTable(file: FileHandle): Promise<readonly SectionEntry[]> {
  const header = await readAt(file, 0, 64);
  const is64 = header[4] === 2;
  const number = (bytes: Buffer, narrow: number, wide: number): number =>
    is64 ? Number(bytes.readBigUInt64LE(wide)) : bytes.readUInt32LE(narrow);
  const [start, size, count, names] = is64
    ? [number(header, 0, 40), header.readUInt16LE(58), header.readUInt16LE(60), header.readUInt16LE(62)]
    : [number(header, 32, 0), header.readUInt16LE(46), header.readUInt16LE(48), header.readUInt16LE(50)];
  const table = await readAt(file, start, size * count);
  const entries = Array.from({ length: count }, (_, index) => table.subarray(index * size, (index + 1) * size));
  const rangeOf = (entry: Buffer) => ({ offset: number(entry, 16, 24), size: number(entry, 20, 32) });
  const nameTable = entries[names];
  const range = nameTable === undefined ? { offset: 0, size: 0 } : rangeOf(nameTable);
  const text = await readAt(file, range.offset, range.size);
  return entries.map((entry) => {
    const name = entry.readUInt32LE(0);
    const isInFile = entry.readUInt32LE(4) !== noBits;
    return { name: text.toString('latin1', name, text.indexOf(0, name)), ...rangeOf(entry), isInFile };
  });
}

/** The type of a section without contents (SHT_NOBITS). */
const noBits = 8;

async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await file.read(bytes, 0, length, offset);
  return bytes.subarray(0, bytesRead);
}
