import { createReadStream, openSync, readSync, closeSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { readChunks } from '@nx-kraft/archive';
import { compressionOf } from './detect.ts';
import { RootfsFault } from './fault.ts';

/**
 * Gives a tar file to `take` in chunks, unpacked if it is compressed with gzip or zstd.
 *
 * @throws RootfsFault SOURCE_UNKNOWN for other compressions, or a damaged stream
 */
export async function readTar(path: string, take: (chunk: Uint8Array) => void): Promise<void> {
  const compression = compressionOf(firstBytes(path));
  if (compression === undefined) {
    readChunks(path, take);
    return;
  }
  if (compression === 'xz' || compression === 'bzip2') throw unreadable(path, `is compressed with ${compression}`);
  const unpack = compression === 'gzip' ? createGunzip({ chunkSize }) : createZstdDecompress({ chunkSize });
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

const chunkSize = 256 * 1024;

function firstBytes(path: string): Buffer {
  const fd = openSync(path, 'r');
  try {
    const start = Buffer.alloc(8);
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
