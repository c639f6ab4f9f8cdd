import { lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs';
import {
  type ByteName,
  type DirectoryNode,
  emptyDirectory,
  type FileNode,
  type LeftOut,
  toByteName,
  toHostPath,
  toText,
  type TreeNode,
} from '@nx-kraft/archive';
import { type Modes, modeOf } from './modes.ts';

export interface ReadTreeOptions {
  readonly owners?: 'root' | 'keep';
  readonly modes?: Modes;
  /** Whether to leave out a path below the directory; what a directory that is left out holds is not looked at. */
  readonly exclude?: (name: ByteName, isDirectory: boolean) => boolean;
}

/**
 * Reads a directory of the disk as a tree, without the contents of its files. Symbolic links are not followed, names of
 * the same file become one node, sockets, pipes and devices are left out.
 *
 * @param path  absolute path of the directory
 */
export function readTree(path: string, options: ReadTreeOptions = {}): { root: DirectoryNode; leftOut: LeftOut[] } {
  const reader = new Reader(toByteName(path), options);
  const root = emptyDirectory();
  reader.read(root, '');
  return { root, leftOut: reader.leftOut };
}

class Reader {
  readonly leftOut: LeftOut[] = [];
  readonly #base: ByteName;
  readonly #options: ReadTreeOptions;
  /** Files with several names, by device and inode. */
  readonly #linked = new Map<string, FileNode>();

  constructor(base: ByteName, options: ReadTreeOptions) {
    this.#base = base;
    this.#options = options;
  }

  read(directory: DirectoryNode, prefix: ByteName): void {
    const { exclude } = this.#options;
    // Sorted, so that the first of several names does not depend on the disk.
    for (const key of readdirSync(toHostPath(this.#base + '/' + prefix), { encoding: 'latin1' }).sort()) {
      const name = prefix + key;
      const path = toHostPath(`${this.#base}/${name}`);
      const stats = lstatSync(path);
      if (exclude?.(name, stats.isDirectory()) === true) continue;
      const node = this.#node(name, path, stats);
      if (node === undefined) continue;
      directory.children.set(key, node);
      if (node.kind === 'directory') this.read(node, `${name}/`);
    }
  }

  #node(name: ByteName, path: string | Buffer, stats: Stats): TreeNode | undefined {
    if (stats.isFile()) return this.#file(path, stats);
    if (stats.isDirectory()) return emptyDirectory(this.#meta(stats));
    if (stats.isSymbolicLink()) {
      return { kind: 'symlink', meta: { ...this.#meta(stats), mode: 0o777 }, target: readlinkSync(path, 'latin1') };
    }
    this.leftOut.push({ name: toText(name), kind: oddKind(stats) });
    return undefined;
  }

  #file(path: string | Buffer, stats: Stats): FileNode {
    const key = stats.nlink > 1 ? `${stats.dev}:${stats.ino}` : undefined;
    const known = key === undefined ? undefined : this.#linked.get(key);
    if (known !== undefined) return known;
    const node: FileNode = { kind: 'file', meta: this.#meta(stats), size: stats.size, content: { file: path } };
    if (key !== undefined) this.#linked.set(key, node);
    return node;
  }

  #meta({ mode, uid, gid }: Stats) {
    const owner = this.#options.owners === 'keep' ? { uid, gid } : { uid: 0, gid: 0 };
    return { mode: modeOf(mode & 0o7777, this.#options.modes ?? 'git'), ...owner };
  }
}

function oddKind(stats: Stats): string {
  if (stats.isSocket()) return 'socket';
  if (stats.isFIFO()) return 'named pipe';
  return stats.isBlockDevice() ? 'block device' : 'character device';
}
