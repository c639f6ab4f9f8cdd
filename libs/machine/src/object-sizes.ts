import { open, readdir, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

/** What a library takes in the machine's memory, in bytes. */
export interface LibrarySize {
  readonly library: string;
  /** Instructions and constants. */
  readonly code: number;
  /** Variables, those that begin as zero included. */
  readonly data: number;
}

/**
 * The sizes of a kernel's libraries, the largest first, from the objects that Unikraft's make leaves in its output
 * folder, one for each library. What the linker then drops as unused is still in them.
 */
export async function measureLibraries(objectFolder: string): Promise<readonly LibrarySize[]> {
  const names = (await readdir(objectFolder)).filter((name) => name.endsWith('.o') && !name.endsWith('.ld.o'));
  const sizes = await Promise.all(
    names.map(async (name) => ({ library: name.slice(0, -2), ...(await measureObject(join(objectFolder, name))) })),
  );
  return sizes.toSorted((a, b) => b.code + b.data - (a.code + a.data));
}

const writable = 0x1;
const allocated = 0x2;

/** Adds up the sections of a 64-bit little-endian ELF file that end up in memory. */
async function measureObject(path: string): Promise<{ code: number; data: number }> {
  const file = await open(path);
  try {
    const header = await readAt(file, 0, 64);
    if (header.length < 64 || header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2) return { code: 0, data: 0 };
    const entrySize = header.readUInt16LE(58);
    const count = header.readUInt16LE(60);
    const table = await readAt(file, Number(header.readBigUInt64LE(40)), entrySize * count);
    let code = 0;
    let data = 0;
    for (let entry = 0; entry + entrySize <= table.length; entry += entrySize) {
      const flags = Number(table.readBigUInt64LE(entry + 8));
      const size = Number(table.readBigUInt64LE(entry + 32));
      if ((flags & allocated) === 0) continue;
      if ((flags & writable) === 0) code += size;
      else data += size;
    }
    return { code, data };
  } finally {
    await file.close();
  }
}

async function readAt(file: FileHandle, position: number, size: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, position);
  return buffer.subarray(0, bytesRead);
}
