import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { hasRightSum, readChunks, wordsOf } from '@nx-kraft/archive';
import { hasErrorCode, installHint, ProgramFault } from '@nx-kraft/base';
import { compressionOf } from './detect.ts';
import { RootfsFault } from './fault.ts';

/**
 * Gives a tar file to `take` in chunks, unpacked if it is compressed with gzip, zstd, xz or bzip2.
 *
 * @throws RootfsFault SOURCE_UNKNOWN for a damaged stream, ProgramFault PROGRAM_MISSING without xz or bzip2
 */
export async function readTar(path: string | Buffer, take: (chunk: Uint8Array) => void): Promise<void> {
  const compression = compressionOf(firstBytes(path, 8));
  if (compression === undefined) return readChunks(path, take);
  for await (const chunk of unpack(path, compression)) take(chunk);
}

/**
 * Whether a file is a tar archive, perhaps compressed: that is what ADD unpacks.
 *
 * @throws ProgramFault PROGRAM_MISSING without xz or bzip2
 */
export async function isTarFile(path: string | Buffer): Promise<boolean> {
  let start = firstBytes(path, headerSize);
  const compression = compressionOf(start);
  if (compression === undefined) return isTarStart(start);
  start = Buffer.alloc(0);
  try {
    for await (const chunk of unpack(path, compression)) {
      start = Buffer.concat([start, chunk]);
      if (start.length >= headerSize) break;
    }
  } catch (error) {
    // Damaged: copied as it is, as Docker does.
    if (error instanceof RootfsFault) return false;
    throw error;
  }
  return isTarStart(start);
}

const headerSize = 512;

/** By the sum of its first header, since the oldest kind of archives has no other sign. */
function isTarStart(start: Buffer): boolean {
  if (start.length < headerSize) return false;
  const block = Buffer.alloc(headerSize);
  start.copy(block);
  const words = wordsOf(block);
  return words !== undefined && hasRightSum(block, 0, words);
}

type Compression = NonNullable<ReturnType<typeof compressionOf>>;

async function* unpack(path: string | Buffer, compression: Compression): AsyncGenerator<Buffer> {
  // Most archives are not compressed.
  const zlib = await import('node:zlib');
  // Node.js 22.12 to 22.14 do not have it, whatever the types say.
  const createZstd: typeof zlib.createZstdDecompress | undefined = zlib.createZstdDecompress;
  if (compression === 'gzip') yield* unpackHere(path, zlib.createGunzip({ chunkSize }));
  else if (compression === 'zstd' && createZstd !== undefined) yield* unpackHere(path, createZstd({ chunkSize }));
  else yield* unpackByProgram(path, compression);
}

const chunkSize = 256 * 1024;

async function* unpackHere(path: string | Buffer, unpacked: NodeJS.ReadWriteStream): AsyncGenerator<Buffer> {
  // Its errors come out of the stream that is read.
  pipeline(createReadStream(path, { highWaterMark: chunkSize }), unpacked, () => undefined);
  try {
    for await (const chunk of unpacked) yield chunk as Buffer;
  } catch (error) {
    if (error instanceof Error && 'code' in error && /^(Z_|ZSTD_|ERR_ZLIB)/.test(String(error.code))) {
      throw damaged(path, error.message);
    }
    throw error;
  }
}

/** Node.js knows no xz and no bzip2, but most hosts have their programs. */
async function* unpackByProgram(path: string | Buffer, program: Compression): AsyncGenerator<Buffer> {
  const fd = openSync(path, 'r');
  const child = spawn(program, ['--decompress', '--stdout'], {
    stdio: [fd, 'pipe', 'pipe'],
  }) as ChildProcessByStdio<null, Readable, Readable>;
  closeSync(fd);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-500)));
  const ended = once(child, 'close') as Promise<[code: number | null]>;
  // It is waited for below; not at all when whoever reads has had enough.
  ended.catch(() => undefined);
  try {
    for await (const chunk of child.stdout) yield chunk as Buffer;
    const [code] = await ended;
    if (code !== 0) throw damaged(path, said.trim());
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
    const message = `${program} is not installed`;
    const hint = await installHint(program);
    throw new ProgramFault('PROGRAM_MISSING', message, { exitCode: 127, hint, cause: error });
  } finally {
    child.kill();
  }
}

function firstBytes(path: string | Buffer, length: number): Buffer {
  const fd = openSync(path, 'r');
  try {
    const start = Buffer.alloc(length);
    return start.subarray(0, readSync(fd, start));
  } finally {
    closeSync(fd);
  }
}

function damaged(path: string | Buffer, reason: string): RootfsFault {
  const at = path.toString();
  return new RootfsFault('SOURCE_UNKNOWN', `${at} is damaged (${reason})`, {
    at,
    hint: 'It was cut off while it was written or copied. Make it again.',
  });
}
