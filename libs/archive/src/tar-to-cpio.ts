import { closeSync, openSync, renameSync } from 'node:fs';
import { type CpioMeta, type CpioWritten, CpioWriter } from './cpio-writer.ts';
import { EntryOrder } from './entry-order.ts';
import { FileWriter } from './file-writer.ts';
import { type ByteName, cleanName } from './names.ts';
import { type TarEntry, type TarHandler, TarParser } from './tar-parser.ts';
import { type BuilderOptions, type LeftOut, TreeBuilder } from './tree-builder.ts';
import { type DirectoryNode, emptyDirectory, type TreeNode, type WriteOptions, writeTree } from './tree.ts';

export interface ConvertOptions extends WriteOptions, Pick<BuilderOptions, 'owners'> {}

export interface Converted extends CpioWritten {
  /** Devices and named pipes of the source, which guests cannot use. */
  readonly leftOut: readonly LeftOut[];
}

interface ArchiveContent {
  readonly archive: string;
  offset: number;
}

/**
 * Turns a tar archive that comes in chunks into CPIO newc at `path`, in the same order and so with the same bytes as
 * `writeTree` gives for the unpacked tree. An archive that is in that order already (BuildKit's and buildah's are) is
 * written as it comes, and nothing more is made of its entries. Hard links need a tree, and so does another order, which
 * is sorted at the end, out of the file that was written meanwhile. `path` is unfinished until {@link finish}: give a
 * temporary path and rename it.
 */
export class TarToCpio {
  readonly #path: string;
  readonly #options: ConvertOptions;
  readonly #fd: number;
  readonly #output: FileWriter;
  readonly #cpio: CpioWriter;
  readonly #parser: TarParser;
  readonly #at: string;
  readonly #order = new EntryOrder();
  /** What came before there was a tree, and where the contents are. */
  readonly #appended: { readonly entry: TarEntry; readonly content: ArchiveContent }[] = [];
  readonly #root = emptyDirectory();
  #tree: TreeBuilder | undefined;
  #ordered: boolean;
  #inFile = false;
  #open = true;

  /** @param at  the archive's name, for faults */
  constructor(path: string, at: string, options: ConvertOptions = {}) {
    this.#path = path;
    this.#at = at;
    this.#options = options;
    // True links must know their number before the first name is written: only the tree does.
    this.#ordered = options.hardLinks !== 'link';
    this.#parser = new TarParser(this.#handler(), at);
    this.#fd = openSync(path, 'w+');
    this.#output = new FileWriter(this.#fd, { digest: this.#ordered && options.digest !== false, behind: true });
    this.#cpio = new CpioWriter(this.#output, options.time ?? 0);
  }

  push(chunk: Uint8Array): void {
    this.#parser.push(chunk);
  }

  /** @throws ArchiveFault ARCHIVE_TRUNCATED when the archive is not whole */
  async finish(): Promise<Converted> {
    this.#parser.end();
    this.#endFile();
    const written = this.#cpio.finish();
    await this.#output.settle();
    await this.close();
    const isSorted = this.#ordered && this.#tree?.irregular !== true;
    return { ...(isSorted ? written : await this.#sort()), leftOut: this.#tree?.leftOut ?? [] };
  }

  /**
   * Ends without an archive: the tree, whose contents lie in the file at `path` and need it as long as they are read.
   *
   * @throws ArchiveFault ARCHIVE_TRUNCATED when the archive is not whole
   */
  async finishAsTree(): Promise<{ root: DirectoryNode; leftOut: readonly LeftOut[] }> {
    this.#parser.end();
    this.#output.finish();
    await this.#output.settle();
    await this.close();
    return { root: this.#root, leftOut: this.#needTree().leftOut };
  }

  /** Lets go of the file; call it also after a fault. */
  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    try {
      await this.#output.settle();
    } catch {
      // Whoever closes without finishing has a fault already; finishing tells this one.
    } finally {
      closeSync(this.#fd);
    }
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
    const content: ArchiveContent = { archive: this.#path, offset: 0 };
    if (this.#tree === undefined && this.#append(entry, content)) return;
    const tree = this.#needTree();
    const placed = tree.place(entry, content);
    if (placed === undefined) return;
    const { name, node } = placed;
    this.#ordered &&= this.#order.take(name, node.kind === 'directory');
    if (entry.type === 'link') this.#copy(name, node);
    else if (node.kind === 'directory') this.#cpio.directory(name, node.meta);
    else if (node.kind === 'symlink') this.#cpio.symlink(name, node.meta, node.target);
    else this.#file(name, node.meta, node.size, content);
  }

  /** Writes an entry that is next in order, which is all that there is to do for nearly all of them. */
  #append(entry: TarEntry, content: ArchiveContent): boolean {
    const { type, mode, size, linkName } = entry;
    if (!this.#ordered || (type !== 'file' && type !== 'directory' && type !== 'symlink')) return false;
    const name = cleanName(entry.name, this.#at);
    if (name === '') return type === 'directory';
    if (!this.#order.take(name, type === 'directory')) return false;
    this.#appended.push({ entry, content });
    const meta = this.#options.owners === 'keep' ? entry : { mode, uid: 0, gid: 0 };
    if (type === 'directory') this.#cpio.directory(name, meta);
    else if (type === 'symlink') this.#cpio.symlink(name, { ...meta, mode: 0o777 }, linkName);
    else this.#file(name, meta, size, content);
    return true;
  }

  #file(name: ByteName, meta: CpioMeta, size: number, content: ArchiveContent): void {
    this.#cpio.file(name, meta, size);
    content.offset = this.#output.position;
    this.#inFile = true;
  }

  #needTree(): TreeBuilder {
    if (this.#tree !== undefined) return this.#tree;
    const tree = new TreeBuilder(this.#root, this.#at, this.#options);
    for (const { entry, content } of this.#appended.splice(0)) tree.place(entry, content);
    return (this.#tree = tree);
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

  async #sort(): Promise<CpioWritten> {
    const sorted = `${this.#path}.sorted`;
    this.#needTree();
    const written = await writeTree(this.#root, sorted, this.#options);
    renameSync(sorted, this.#path);
    return written;
  }
}
