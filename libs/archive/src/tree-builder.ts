import type { CpioMeta } from './cpio-writer.ts';
import { ArchiveFault } from './fault.ts';
import { type ByteName, cleanName, parentOf, toText } from './names.ts';
import type { TarEntry } from './tar-parser.ts';
import { findDirectory, findNode, makeDirectory } from './tree-paths.ts';
import { type Content, type DirectoryNode, emptyDirectory, plainDirectory, type TreeNode } from './tree.ts';

export interface BuilderOptions {
  /** `root` gives everything to user and group 0 (default), `keep` takes the archive's numbers, or somebody gets it all. */
  readonly owners?: 'root' | 'keep' | Pick<CpioMeta, 'uid' | 'gid'>;
  /** The archive is a layer of an OCI image: entries named `.wh.…` take away what lower layers put there. */
  readonly whiteouts?: boolean;
}

/** An entry that no guest can use, and was left out. */
export interface LeftOut {
  readonly name: string;
  /** What it is, such as `block device`. */
  readonly kind: string;
}

/**
 * Puts the entries of a tar archive into a tree, as unpacking them below the tree's root would: later entries replace
 * earlier ones, missing parents appear, symbolic links in parents are followed inside the root, and nothing leaves it.
 */
export class TreeBuilder {
  readonly leftOut: LeftOut[] = [];
  readonly #root: DirectoryNode;
  readonly #at: string;
  readonly #owner: Pick<CpioMeta, 'uid' | 'gid'> | undefined;
  /** What this layer brought, which its own whiteouts spare; undefined when the archive is no layer. */
  readonly #own: Set<TreeNode> | undefined;
  #lastParent: ByteName | undefined = '';
  #lastDirectory: DirectoryNode;
  #lastMeta = plainDirectory;

  /** @param at  the archive's name, for faults */
  constructor(root: DirectoryNode, at: string, { owners = 'root', whiteouts = false }: BuilderOptions = {}) {
    this.#root = root;
    this.#lastDirectory = root;
    this.#at = at;
    this.#owner = owners === 'keep' ? undefined : owners === 'root' ? plainDirectory : owners;
    this.#own = whiteouts ? new Set() : undefined;
  }

  /**
   * @param content  where the entry's content is, if it is a file
   * @returns the entry's clean name and node; undefined when it added none (the root itself, a device, a whiteout)
   * @throws ArchiveFault NAME_UNSAFE, LINK_BROKEN, ENTRY_MISPLACED
   */
  place(entry: TarEntry, content: Content): { name: ByteName; node: TreeNode } | undefined {
    const name = cleanName(entry.name, this.#at);
    const base = name.slice(name.lastIndexOf('/') + 1);
    if (this.#own !== undefined && base.startsWith(whiteout)) {
      this.#takeAway(parentOf(name), base, this.#own);
      return undefined;
    }
    const node = this.#node(entry, name, content);
    if (node === undefined) return undefined;
    if (name === '') {
      if (node.kind === 'directory') return undefined;
      throw new ArchiveFault('ENTRY_MISPLACED', 'the root of the archive is no directory', { at: this.#at });
    }
    const placed = this.#put(this.#directory(parentOf(name)), base, node);
    this.#own?.add(placed);
    return { name, node: placed };
  }

  /**
   * Mode and owner that an entry gets. Those that follow each other mostly have the same; sharing it spares a third of
   * the tree's memory.
   */
  meta(entry: TarEntry): CpioMeta {
    const mode = entry.type === 'symlink' ? 0o777 : entry.mode;
    const { uid, gid } = this.#owner ?? entry;
    const last = this.#lastMeta;
    if (last.mode !== mode || last.uid !== uid || last.gid !== gid) this.#lastMeta = { mode, uid, gid };
    return this.#lastMeta;
  }

  #node(entry: TarEntry, name: ByteName, content: Content): TreeNode | undefined {
    const meta = this.meta(entry);
    switch (entry.type) {
      case 'directory':
        return emptyDirectory(meta);
      case 'file':
        return { kind: 'file', meta, size: entry.size, content };
      case 'symlink':
        return { kind: 'symlink', meta, target: entry.linkName };
      case 'link':
        return this.#linked(entry, name);
      case 'character':
      case 'block':
      case 'fifo':
        this.leftOut.push({ name: toText(name), kind: entry.type === 'fifo' ? 'named pipe' : `${entry.type} device` });
        return undefined;
    }
  }

  #linked(entry: TarEntry, name: ByteName): TreeNode {
    const target = findNode(this.#root, cleanName(entry.linkName, this.#at));
    if (target !== undefined && target.kind !== 'directory') return target;
    const reason = target === undefined ? 'which is not in the archive before it' : 'which is a directory';
    const message = `${toText(name)} is a hard link to ${JSON.stringify(toText(entry.linkName))}, ${reason}`;
    throw new ArchiveFault('LINK_BROKEN', message, {
      at: this.#at,
      hint: 'Make the archive again, with all names of the file.',
    });
  }

  #directory(name: ByteName): DirectoryNode {
    if (name !== this.#lastParent) {
      this.#lastDirectory = makeDirectory(this.#root, name, this.#at, { meta: impliedBelow });
      this.#lastParent = name;
    }
    return this.#lastDirectory;
  }

  #put(parent: DirectoryNode, base: ByteName, node: TreeNode): TreeNode {
    const existing = parent.children.get(base);
    if (existing !== undefined) {
      this.#lastParent = undefined;
      if (existing.kind === 'directory' && node.kind === 'directory') {
        existing.meta = node.meta;
        return existing;
      }
    }
    parent.children.set(base, node);
    return node;
  }

  /** OCI image specification, layer.md, "Whiteouts". */
  #takeAway(parent: ByteName, base: ByteName, own: ReadonlySet<TreeNode>): void {
    const directory = findDirectory(this.#root, parent);
    this.#lastParent = undefined;
    if (base === opaque) {
      if (directory !== undefined) keepOnly(own, directory);
      return;
    }
    const name = base.slice(whiteout.length);
    const victim = directory?.children.get(name);
    if (victim !== undefined && !own.has(victim)) directory?.children.delete(name);
  }
}

/** The bit of directories that give their group to what is made in them goes on to directories. */
function impliedBelow({ mode }: CpioMeta): CpioMeta {
  const setgid = mode & 0o2000;
  return setgid === 0 ? plainDirectory : { ...plainDirectory, mode: plainDirectory.mode | setgid };
}

const whiteout = '.wh.';
const opaque = '.wh..wh..opq';

function keepOnly(own: ReadonlySet<TreeNode>, directory: DirectoryNode): void {
  for (const [name, node] of directory.children) {
    if (!own.has(node)) directory.children.delete(name);
    else if (node.kind === 'directory') keepOnly(own, node);
  }
}
