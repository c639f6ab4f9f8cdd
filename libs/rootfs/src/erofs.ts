import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import {
  type CpioWritten,
  createFile,
  type DirectoryNode,
  type FileWriter,
  readChunks,
  type Written,
} from '@nx-kraft/archive';
import { run } from '@nx-kraft/base';
import { RootfsFault } from './fault.ts';
import { layOut } from './lay-out.ts';
import type { OutputOptions } from './output.ts';

/** Any fixed one would do: it only must not differ between two builds. */
const volumeId = '00000000-0000-4000-8000-000000000000';

/**
 * Writes a tree as an EROFS image with the host's `mkfs.erofs`, which reads directories only: the tree is laid out
 * beside `path` and removed again. The tree and the options alone decide the bytes, for one version of that program.
 *
 * @param path  must not exist yet
 * @throws ProgramFault PROGRAM_MISSING with what to install, PROGRAM_FAILED
 */
export async function writeErofs(root: DirectoryNode, path: string, options: OutputOptions): Promise<CpioWritten> {
  const folder = `${path}.tree`;
  try {
    const laidOut = layOut(root, folder, options);
    const time = String(options.time ?? 0);
    const owners = options.owners === 'keep' ? [] : ['--all-root'];
    const words = ['--quiet', '-x-1', `-T${time}`, `-U${volumeId}`, ...owners, path, folder];
    await run('mkfs.erofs', words, { signal: options.signal });
    return { ...measure(path, options.digest ?? false), ...laidOut };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function measure(path: string, digest: boolean): Written {
  const size = statSync(path).size;
  if (!digest) return { digest: undefined, size };
  const hash = createHash('sha256');
  readChunks(path, (chunk) => hash.update(chunk));
  return { digest: `sha256:${hash.digest('hex')}`, size };
}

/**
 * Copies a given EROFS image byte for byte, once its superblock says that it is whole.
 *
 * @throws RootfsFault SOURCE_UNKNOWN for an image that was cut off
 */
export function copyErofs(source: string, target: string, options: { digest?: boolean } = {}): CpioWritten {
  const copy = (output: FileWriter): CpioWritten => {
    readChunks(source, (chunk) => output.bytes(chunk));
    const written = output.finish();
    const { inodes, size } = readSuperblock(source);
    if (size <= written.size) return { ...written, entries: inodes - 1, largest: [] };
    throw new RootfsFault('SOURCE_UNKNOWN', `the EROFS image should have ${size} bytes, but has ${written.size}`, {
      at: source,
      hint: 'It was cut off while it was written or copied. Make it again.',
    });
  };
  return createFile(target, copy, options);
}

/** Linux, fs/erofs/erofs_fs.h, struct erofs_super_block. */
function readSuperblock(path: string): { inodes: number; size: number } {
  const block = Buffer.alloc(128);
  const fd = openSync(path, 'r');
  try {
    readSync(fd, block, 0, block.length, 1024);
  } finally {
    closeSync(fd);
  }
  return { inodes: Number(block.readBigUInt64LE(16)), size: block.readUInt32LE(36) * 2 ** (block[12] ?? 0) };
}
