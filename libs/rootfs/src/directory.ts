import { lstatSync, readdirSync, readlinkSync, realpathSync, type Stats } from 'node:fs';
import { basename, dirname, relative, resolve } from 'node:path';
import {
  type ByteName,
  type CpioMeta,
  type DirectoryNode,
  type FileNode,
  type LeftOut,
  toByteName,
  toHostPath,
  toText,
  type TreeNode,
} from '@nx-kraft/archive';
import { irregularKind } from '@nx-kraft/base';
import { type Modes, modeOf } from './modes.ts';

export interface ReadTreeOptions {
  readonly owners?: 'root' | 'keep';
  readonly modes?: Modes;
  /**
   * Whether to leave out a path below the directory; what a directory that is left out holds is not looked at.
   * `unless-filled` leaves a directory out when nothing in it stays.
   */
  readonly exclude?: (name: ByteName) => boolean | 'unless-filled';
}

/**
 * Reads a directory of the disk as a tree, without the contents of its files, and each directory only when its children
 * are asked for. Symbolic links are not followed, names of the same file become one node; sockets, pipes and devices are
 * left out and listed as they are met.
 *
 * @param path  absolute path of the directory
 */
export function readTree(
  path: string,
  options: ReadTreeOptions = {},
): { root: DirectoryNode; leftOut: readonly LeftOut[] } {
  const reader = new Reader(toByteName(path), options);
  const root = new DiskDirectory({ mode: 0o755, uid: 0, gid: 0 }, () => reader.read(''));
  return { root, leftOut: reader.leftOut };
}

class DiskDirectory implements DirectoryNode {
  readonly kind = 'directory';
  meta: CpioMeta;
  readonly #read: () => Map<ByteName, TreeNode>;
  #children: Map<ByteName, TreeNode> | undefined;

  constructor(meta: CpioMeta, read: () => Map<ByteName, TreeNode>) {
    this.meta = meta;
    this.#read = read;
  }

  get children(): Map<ByteName, TreeNode> {
    return (this.#children ??= this.#read());
  }
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

  read(prefix: ByteName): Map<ByteName, TreeNode> {
    const children = new Map<ByteName, TreeNode>();
    // Sorted, so that the first of several names does not depend on the disk.
    for (const key of readdirSync(toHostPath(`${this.#base}/${prefix}`), { encoding: 'latin1' }).sort()) {
      const name = prefix + key;
      const excluded = this.#options.exclude?.(name) ?? false;
      if (excluded === true) continue;
      const path = toHostPath(`${this.#base}/${name}`);
      const node = this.#node(name, path, lstatSync(path));
      if (node === undefined) continue;
      if (excluded === 'unless-filled' && (node.kind !== 'directory' || node.children.size === 0)) continue;
      children.set(key, node);
    }
    return children;
  }

  #node(name: ByteName, path: string | Buffer, stats: Stats): TreeNode | undefined {
    if (stats.isFile()) return this.#file(path, stats);
    if (stats.isDirectory()) return new DiskDirectory(this.#meta(stats), () => this.read(`${name}/`));
    if (stats.isSymbolicLink()) {
      return { kind: 'symlink', meta: { ...this.#meta(stats), mode: 0o777 }, target: readlinkSync(path, 'latin1') };
    }
    this.leftOut.push({ name: toText(name), kind: irregularKind(stats) });
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

  #meta({ mode, uid, gid }: Stats): CpioMeta {
    const owner = this.#options.owners === 'keep' ? { uid, gid } : { uid: 0, gid: 0 };
    return { mode: modeOf(mode & 0o7777, this.#options.modes ?? 'git'), ...owner };
  }
}

/** Names of those paths that lie below a directory, as given or where links lead. */
export function pathsBelow(directory: string, paths: readonly string[]): Set<ByteName> {
  return new Set(
    paths.flatMap((path) => {
      const real = resolve(realpathSync(dirname(path)), basename(path));
      return [relative(directory, path), relative(realpathSync(directory), real)].map(toByteName);
    }),
  );
}
