import { closeSync, openSync, renameSync } from 'node:fs';
import { type CpioWritten, CpioWriter } from './cpio-writer.ts';
import { EntryOrder } from './entry-order.ts';
import { createFile, FileWriter } from './file-writer.ts';
import { type ByteName, cleanName } from './names.ts';
import type { TarEntryType } from './tar-fields.ts';
import { type TarEntry, type TarHandler, TarParser } from './tar-parser.ts';
import { type BuilderOptions, type LeftOut, TreeBuilder } from './tree-builder.ts';
import { type DirectoryNode, emptyDirectory, type TreeNode, type WriteOptions, writeTree } from './tree.ts';

export interface ConvertOptions extends WriteOptions, Pick<BuilderOptions, 'owners'> {
  /** Whether to take the SHA-256 of the result (default true). */
  readonly digest?: boolean | undefined;
}

export interface Converted extends CpioWritten {
  /** Devices and named pipes of the source, which guests cannot use. */
  readonly leftOut: readonly LeftOut[];
}

/** An entry that is written, and not yet in the tree. */
interface WrittenEntry extends TarEntry {
  /** Where its content begins in what was written. */
  readonly offset: number;
}

/**
 * Turns a tar archive that comes in chunks into CPIO newc at `path`, in the same order and so with the same bytes as
 * `writeTree` gives for the unpacked tree. An archive that is in that order already (BuildKit's and buildah's are) is
 * written as it comes, and put into a tree only when a hard link names another entry; what came in another order is
 * sorted at the end, out of the file that was written meanwhile. `path` is unfinished until {@link finish}:
 * give a temporary path and rename it.
 */
export class TarToCpio {
  readonly #path: string;
  readonly #at: string;
  readonly #options: ConvertOptions;
  readonly #fd: number;
  readonly #output: FileWriter;
  readonly #cpio: CpioWriter;
  readonly #parser: TarParser;
  readonly #root = emptyDirectory();
  readonly #tree: TreeBuilder;
  readonly #order = new EntryOrder();
  #ordered: boolean;
  /** What came in order and is not in the tree yet. */
  #waiting: WrittenEntry[] = [];
  #inFile = false;
  #open = true;

  /** @param at  the archive's name, for faults */
  constructor(path: string, at: string, options: ConvertOptions = {}) {
    this.#path = path;
    this.#at = at;
    this.#options = options;
    // True links must know their number before the first name is written: only the tree does.
    this.#ordered = options.hardLinks !== 'link';
    this.#tree = new TreeBuilder(this.#root, at, options);
    this.#parser = new TarParser(this.#handler(), at);
    this.#fd = openSync(path, 'w+');
    this.#output = new FileWriter(this.#fd, { digest: this.#ordered && options.digest !== false });
    this.#cpio = new CpioWriter(this.#output, options.time ?? 0);
  }

  push(chunk: Uint8Array): void {
    this.#parser.push(chunk);
  }

  /** @throws ArchiveFault ARCHIVE_TRUNCATED when the archive is not whole */
  finish(): Converted {
    this.#parser.end();
    this.#endFile();
    const written = this.#cpio.finish();
    this.close();
    const { leftOut } = this.#tree;
    return { ...(this.#ordered ? written : this.#sort()), leftOut };
  }

  /**
   * Ends without an archive: the tree, whose contents lie in the file at `path` and need it as long as they are read.
   *
   * @throws ArchiveFault ARCHIVE_TRUNCATED when the archive is not whole
   */
  finishAsTree(): { root: DirectoryNode; leftOut: readonly LeftOut[] } {
    this.#parser.end();
    this.#output.finish();
    this.close();
    this.#fillTree();
    return { root: this.#root, leftOut: this.#tree.leftOut };
  }

  /** Lets go of the file; call it also after a fault. */
  close(): void {
    if (this.#open) closeSync(this.#fd);
    this.#open = false;
  }

  #handler(): TarHandler {
    return {
      entry: (entry) => this.#entry(entry),
      data: (chunk, start, end) => {
        if (this.#inFile) this.#output.bytes(chunk, start, end);
      },
    };
  }

  #entry(entry: TarEntry): void {
    this.#endFile();
    const name = cleanName(entry.name, this.#at);
    if (name !== '' && writtenTypes.has(entry.type)) {
      this.#add(name, entry);
      return;
    }
    // The root itself, another name of a file, or what is left out.
    this.#fillTree();
    const placed = this.#tree.place(entry, { archive: this.#path, offset: 0 });
    if (placed === undefined) return;
    this.#ordered &&= this.#order.follows(name, false);
    this.#copy(name, placed.node);
  }

  #add(name: ByteName, entry: TarEntry): void {
    const { type, size, linkName } = entry;
    this.#ordered &&= this.#order.follows(name, type === 'directory');
    const meta = this.#tree.meta(entry);
    if (type === 'directory') this.#cpio.directory(name, meta);
    else if (type === 'symlink') this.#cpio.symlink(name, meta, linkName);
    else this.#cpio.file(name, meta, size);
    this.#inFile = type === 'file';
    this.#waiting.push({ ...entry, name, offset: this.#output.position });
    if (!this.#ordered) this.#fillTree();
  }

  #fillTree(): void {
    for (const entry of this.#waiting) this.#tree.place(entry, { archive: this.#path, offset: entry.offset });
    this.#waiting = [];
  }

  /** The content of a hard link is read back from what was written for its first name. */
  #copy(name: ByteName, node: TreeNode): void {
    if (node.kind === 'symlink') this.#cpio.symlink(name, node.meta, node.target);
    if (node.kind !== 'file' || !('archive' in node.content) || !this.#ordered) return;
    this.#cpio.file(name, node.meta, node.size);
    this.#output.copyBack(node.content.offset, node.size);
    this.#cpio.endFile();
  }

  #endFile(): void {
    if (this.#inFile) this.#cpio.endFile();
    this.#inFile = false;
  }

  #sort(): CpioWritten {
    const sorted = `${this.#path}.sorted`;
    const written = createFile(sorted, (output) => writeTree(this.#root, output, this.#options), {
      digest: this.#options.digest ?? true,
    });
    renameSync(sorted, this.#path);
    return written;
  }
}

/** Entries that are what they say; hard links are what another one is, and guests can use no others. */
const writtenTypes: ReadonlySet<TarEntryType> = new Set(['directory', 'file', 'symlink']);
