import { rmSync } from 'node:fs';
import {
  type Converted,
  createFile,
  type DirectoryNode,
  type LeftOut,
  TarToCpio,
  type WriteOptions,
  writeTree,
} from '@nx-kraft/archive';
import { writeErofs } from './erofs.ts';

export type RootfsFormat = 'cpio' | 'erofs';

export interface OutputOptions extends WriteOptions {
  readonly owners?: 'root' | 'keep';
  /** Whether to take the SHA-256 of the result (default false): that takes as long as writing it. */
  readonly digest?: boolean;
  /** Once it is aborted the work fails, and leaves nothing behind. */
  readonly signal?: AbortSignal | undefined;
}

/** Where a root file system goes: everything that makes one ends in one of its two methods. */
export interface Output {
  /** Writes a tree. */
  tree(root: DirectoryNode, leftOut: readonly LeftOut[]): Promise<Converted>;
  /**
   * Writes what arrives as tar archive.
   *
   * @param send  gives the archive to its parameter, chunk by chunk, and resolves after the last
   * @param at  the archive's name, for faults
   */
  tar(send: (take: (chunk: Uint8Array) => void) => Promise<void>, at: string): Promise<Converted>;
}

/** @param path  temporary path: unfinished until the method returns */
export function createOutput(path: string, format: RootfsFormat, options: OutputOptions): Output {
  const { digest = false } = options;
  const writeOut = (root: DirectoryNode) =>
    format === 'erofs'
      ? writeErofs(root, path, options)
      : Promise.resolve(createFile(path, (output) => writeTree(root, output, options), { digest }));
  return {
    tree: async (root, leftOut) => ({ ...(await writeOut(root)), leftOut }),
    tar: async (send, at) => {
      // EROFS is made from a tree whose contents lie in a CPIO archive beside it.
      const spool = format === 'erofs' ? `${path}.contents` : path;
      const converter = new TarToCpio(spool, at, { ...options, digest });
      try {
        await send((chunk) => {
          options.signal?.throwIfAborted();
          converter.push(chunk);
        });
        if (format === 'cpio') return converter.finish();
        const { root, leftOut } = converter.finishAsTree();
        return { ...(await writeOut(root)), leftOut };
      } finally {
        converter.close();
        if (spool !== path) rmSync(spool, { force: true });
      }
    },
  };
}
