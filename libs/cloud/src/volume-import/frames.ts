import { open } from 'node:fs/promises';

const headerLength = 110;
/** Where a header of CPIO newc has the sizes of content and name, in hexadecimal digits. */
const contentSizeAt = 54;
const nameSizeAt = 94;
/** The most that the importer reads at once. */
const mostBytes = 64 * 1024;

/**
 * A CPIO archive (newc, checked before) as the importer wants it: headers and names without the zeros that align them,
 * contents in pieces, the end mark last.
 */
export async function* framesOf(archive: string): AsyncGenerator<Buffer> {
  await using file = await open(archive);
  const read = async (position: number, length: number): Promise<Buffer> => {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, position);
    if (bytesRead < length) throw new Error(`${archive} was cut off while it was read`);
    return buffer;
  };
  for (let position = 0; ;) {
    const header = await read(position, headerLength);
    const size = numberAt(header, contentSizeAt);
    const name = await read(position + headerLength, numberAt(header, nameSizeAt));
    yield header;
    yield name;
    if (name.toString('latin1') === 'TRAILER!!!\0') return;
    position = aligned(position + headerLength + name.length);
    for (let sent = 0; sent < size; sent += mostBytes) {
      yield await read(position + sent, Math.min(mostBytes, size - sent));
    }
    position = aligned(position + size);
  }
}

function numberAt(header: Buffer, at: number): number {
  return parseInt(header.toString('latin1', at, at + 8), 16);
}

function aligned(position: number): number {
  return Math.ceil(position / 4) * 4;
}
