import { ContentReader } from './content-reader.ts';
import { type CpioMeta, type CpioWritten, CpioWriter } from './cpio-writer.ts';
import type { FileWriter } from './file-writer.ts';
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
}

/** The owner and mode of directories that nobody described. */
export const plainDirectory: CpioMeta = { mode: 0o755, uid: 0, gid: 0 };

export function emptyDirectory(meta: CpioMeta = plainDirectory): DirectoryNode {
  return { kind: 'directory', meta, children: new Map() };
}

/**
 * Writes a tree as CPIO newc, depth first and siblings in the order of their bytes, without an entry for the root.
 *
 * @throws ArchiveFault FILE_CHANGED for a file that is not as large as its node says, FILE_TOO_LARGE
 */
export function writeTree(root: DirectoryNode, output: FileWriter, options: WriteOptions = {}): CpioWritten {
  const names = options.hardLinks === 'link' ? countNames(root) : new Map<FileNode, number>();
  const source = new ContentReader();
  try {
    const writer = new TreeWriter(output, new CpioWriter(output, options.time ?? 0), source, names);
    return writer.write(root);
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

  write(root: DirectoryNode): CpioWritten {
    this.#children(root, '');
    return this.#cpio.finish();
  }

  #children(directory: DirectoryNode, prefix: ByteName): void {
    for (const key of [...directory.children.keys()].sort()) {
      const node = directory.children.get(key);
      const name = prefix + key;
      if (node?.kind === 'directory') {
        this.#cpio.directory(name, node.meta);
        this.#children(node, `${name}/`);
      } else if (node?.kind === 'symlink') {
        this.#cpio.symlink(name, node.meta, node.target);
      } else if (node !== undefined) {
        this.#file(name, node);
      }
    }
  }

  #file(name: ByteName, node: FileNode): void {
    const links = this.#names.get(node) ?? 1;
    const first = this.#inodes.get(node);
    if (first !== undefined) {
      this.#cpio.link(name, node.meta, first, links);
      return;
    }
    const inode = this.#cpio.file(name, node.meta, node.size, links);
    if (links > 1) this.#inodes.set(node, inode);
    this.#source.copy(node, this.#output);
    this.#cpio.endFile();
  }
}
