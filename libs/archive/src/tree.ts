import { ContentReader } from './content-reader.ts';
import { type CpioMeta, type CpioWritten, CpioWriter } from './cpio-writer.ts';
import { createFileBehind, type FileWriter } from './file-writer.ts';
import type { ByteName } from './names.ts';

/**
 * A file system tree in memory: names and modes, while contents stay where they are until {@link writeTree} reads
 * them. The same {@link FileNode} under two names is a hard link.
 */
export type TreeNode = DirectoryNode | FileNode | SymlinkNode;

export interface DirectoryNode {
  readonly kind: 'directory';
  meta: CpioMeta;
  readonly children: Map<ByteName, TreeNode>;
  /** Lets go of the children, where they can be had again: of large trees, few need to be in memory at a time. */
  forget?(): void;
}

export interface FileNode {
  readonly kind: 'file';
  readonly meta: CpioMeta;
  /** Bytes. */
  readonly size: number;
  readonly content: Content;
}

export interface SymlinkNode {
  readonly kind: 'symlink';
  readonly meta: CpioMeta;
  readonly target: ByteName;
}

/** Where the bytes of a file are: here, a whole file of the disk, or a part of one, such as an entry of a tar archive. */
export type Content =
  | { readonly bytes: Uint8Array }
  | { readonly file: string | Buffer }
  | { readonly archive: string; readonly offset: number };

export interface WriteOptions {
  /** Modification time of every entry, in seconds since 1970 (default 0). */
  readonly time?: number;
  /** Whether further names of a file become copies, which every guest understands, or true links (default `copy`). */
  readonly hardLinks?: 'copy' | 'link';
  /** Whether to take the SHA-256 of the result (default true). */
  readonly digest?: boolean | undefined;
}

/** The owner and mode of directories that nobody described. */
export const plainDirectory: CpioMeta = { mode: 0o755, uid: 0, gid: 0 };

export function emptyDirectory(meta: CpioMeta = plainDirectory): DirectoryNode {
  return { kind: 'directory', meta, children: new Map() };
}

/**
 * Writes a tree as CPIO newc to `path`, depth first and siblings in the order of their bytes, without an entry for the
 * root. An archive that could not be finished is removed.
 *
 * @throws ArchiveFault FILE_CHANGED for a file that is not as large as its node says, FILE_TOO_LARGE
 */
export async function writeTree(root: DirectoryNode, path: string, options: WriteOptions = {}): Promise<CpioWritten> {
  const { time = 0, digest = true, hardLinks } = options;
  const names = hardLinks === 'link' ? countNames(root) : new Map<FileNode, number>();
  const source = new ContentReader();
  try {
    return await createFileBehind(path, digest, (output) =>
      new TreeWriter(output, new CpioWriter(output, time), source, names).write(root),
    );
  } finally {
    source.close();
  }
}

function countNames(root: DirectoryNode, counts = new Map<FileNode, number>()): Map<FileNode, number> {
  for (const node of root.children.values()) {
    if (node.kind === 'directory') countNames(node, counts);
    else if (node.kind === 'file') counts.set(node, (counts.get(node) ?? 0) + 1);
  }
  return counts;
}

class TreeWriter {
  readonly #output: FileWriter;
  readonly #cpio: CpioWriter;
  readonly #source: ContentReader;
  /** How many names a file has; empty when hard links become copies. */
  readonly #names: ReadonlyMap<FileNode, number>;
  readonly #inodes = new Map<FileNode, number>();

  constructor(output: FileWriter, cpio: CpioWriter, source: ContentReader, names: ReadonlyMap<FileNode, number>) {
    this.#output = output;
    this.#cpio = cpio;
    this.#source = source;
    this.#names = names;
  }

  async write(root: DirectoryNode): Promise<CpioWritten> {
    await this.#children(root, '');
    return this.#cpio.finish();
  }

  async #children(directory: DirectoryNode, prefix: ByteName): Promise<void> {
    const { children } = directory;
    for (const key of [...children.keys()].sort()) {
      const node = children.get(key);
      const name = prefix + key;
      if (node?.kind === 'directory') {
        this.#cpio.directory(name, node.meta);
        await this.#children(node, `${name}/`);
        node.forget?.();
      } else if (node?.kind === 'symlink') {
        this.#cpio.symlink(name, node.meta, node.target);
      } else if (node !== undefined && this.#startFile(name, node)) {
        if (node.size > largeFile) await this.#source.copyInTurns(node, this.#output);
        else this.#source.copy(node, this.#output);
        this.#cpio.endFile();
        if (this.#output.isDue) await this.#output.turn();
      }
    }
  }

  /** @returns whether its content is to follow */
  #startFile(name: ByteName, node: FileNode): boolean {
    const links = this.#names.get(node) ?? 1;
    const first = this.#inodes.get(node);
    if (first !== undefined) {
      this.#cpio.link(name, node.meta, first, links);
      return false;
    }
    const inode = this.#cpio.file(name, node.meta, node.size, links);
    if (links > 1) this.#inodes.set(node, inode);
    return true;
  }
}

/** From here on, other threads should get their work within a file. */
const largeFile = 1024 * 1024;
