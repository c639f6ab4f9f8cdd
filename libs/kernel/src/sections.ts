import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';

/** A section of an ELF file. */
export interface Section {
  readonly name: string;
  /** What it holds, as SHA-256 in hexadecimal. */
  readonly digest: string;
}

/** Reads the sections of a little-endian ELF file of 32 or 64 bits in the order of its section table (ELF gABI 4.1). */
export async function readSections(path: string): Promise<readonly Section[]> {
  const file = await open(path);
  try {
    const header = await readAt(file, 0, 64);
    const is64 = header[4] === 2;
    const number = (bytes: Buffer, narrow: number, wide: number): number =>
      is64 ? Number(bytes.readBigUInt64LE(wide)) : bytes.readUInt32LE(narrow);
    const [start, size, count, names] = is64
      ? [number(header, 0, 40), header.readUInt16LE(58), header.readUInt16LE(60), header.readUInt16LE(62)]
      : [number(header, 32, 0), header.readUInt16LE(46), header.readUInt16LE(48), header.readUInt16LE(50)];
    const table = await readAt(file, start, size * count);
    const entries = Array.from({ length: count }, (_, index) => {
      const entry = table.subarray(index * size, (index + 1) * size);
      const holdsNothing = entry.readUInt32LE(4) === 8;
      return {
        name: entry.readUInt32LE(0),
        offset: number(entry, 16, 24),
        size: holdsNothing ? 0 : number(entry, 20, 32),
      };
    });
    const nameTable = entries[names];
    const text = nameTable === undefined ? Buffer.alloc(0) : await readAt(file, nameTable.offset, nameTable.size);
    const sections: Section[] = [];
    for (const { name, offset, size: length } of entries) {
      const digest = createHash('sha256')
        .update(await readAt(file, offset, length))
        .digest('hex');
      sections.push({ name: text.toString('latin1', name, text.indexOf(0, name)), digest });
    }
    return sections;
  } finally {
    await file.close();
  }
}

async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await file.read(bytes, 0, length, offset);
  return bytes.subarray(0, bytesRead);
}
