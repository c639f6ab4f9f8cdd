import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';
import { readChunks } from '@nx-kraft/archive';
import { compressionOf } from './detect.ts';
import { RootfsFault } from './fault.ts';

/**
 * Gives a tar file to `take` in chunks, unpacked if it is compressed with gzip or zstd.
 *
 * @throws RootfsFault SOURCE_UNKNOWN for other compressions, or a damaged stream
 */
export async function readTar(path: string, take: (chunk: Uint8Array) => void): Promise<void> {
  const compression = compressionOf(firstBytes(path, 8));
  if (compression === undefined) {
    readChunks(path, take);
    return;
  }
  if (compression === 'xz' || compression === 'bzip2') throw unreadable(path, `is compressed with ${compression}`);
  const create = compression === 'gzip' ? zlib.createGunzip : zstd.createZstdDecompress;
  if (create === undefined) throw unreadable(path, 'is compressed with zstd, which Node.js knows from 22.15 on');
  const unpack = create({ chunkSize });
  try {
    await pipeline(
      createReadStream(path, { highWaterMark: chunkSize }),
      unpack,
      async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) take(chunk);
      },
    );
  } catch (error) {
    // Faults of the archive inside pass; zlib's errors are about the compression.
    if (error instanceof Error && 'code' in error && /^(Z_|ZSTD_|ERR_ZLIB)/.test(String(error.code))) {
      throw unreadable(path, `is damaged (${error.message})`);
    }
    throw error;
  }
}

/** Whether a file is a tar archive, perhaps compressed: that is what ADD unpacks. */
export function isTarFile(path: string | Buffer): boolean {
  const start = firstBytes(path, 4096);
  const compression = compressionOf(start);
  if (compression === undefined) return start.toString('latin1', 257, 262) === 'ustar';
  const unpackSync = compression === 'gzip' ? zlib.gunzipSync : zstd.zstdDecompressSync;
  if (compression === 'xz' || compression === 'bzip2' || unpackSync === undefined) return true;
  const { Z_SYNC_FLUSH, ZSTD_e_flush } = zlib.constants;
  try {
    const unpacked = unpackSync(start, { finishFlush: compression === 'gzip' ? Z_SYNC_FLUSH : ZSTD_e_flush });
    return unpacked.toString('latin1', 257, 262) === 'ustar';
  } catch {
    // Damaged: copied as it is, as Docker does.
    return false;
  }
}

const chunkSize = 256 * 1024;

/** Node.js 22.12 to 22.14 do not have it, whatever the types say. */
const zstd: Partial<Pick<typeof zlib, 'createZstdDecompress' | 'zstdDecompressSync'>> = zlib;

function firstBytes(path: string | Buffer, length: number): Buffer {
  const fd = openSync(path, 'r');
  try {
    const start = Buffer.alloc(length);
    return start.subarray(0, readSync(fd, start));
  } finally {
    closeSync(fd);
  }
}

function unreadable(path: string, what: string): RootfsFault {
  return new RootfsFault('SOURCE_UNKNOWN', `${path} ${what}`, {
    at: path,
    hint: 'Give the tar archive itself, or one that is compressed with gzip or zstd.',
  });
}
