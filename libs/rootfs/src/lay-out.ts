import { chmodSync, lchownSync, linkSync, lutimesSync, mkdirSync, symlinkSync, utimesSync } from 'node:fs';
import {
  type ByteName,
  ContentReader,
  type CpioMeta,
  createFile,
  type DirectoryNode,
  type FileNode,
  type FileWriter,
  type LargeFile,
  LargestFiles,
  toByteName,
  toHostPath,
} from '@nx-kraft/archive';
import type { OutputOptions } from './output.ts';

export type LayOutOptions = Pick<OutputOptions, 'owners' | 'hardLinks'>;

/**
 * Lays a tree out as a directory of the disk, for programs that read nothing else. All times are 0, so that what they
 * remember of an earlier copy holds for this one.
 *
 * @param folder  absolute path; must not exist yet
 * @returns what went there
 */
export function layOut(
  root: DirectoryNode,
  folder: string,
  options: LayOutOptions = {},
): { entries: number; largest: readonly LargeFile[] } {
  const layout = new Layout(toByteName(folder), options);
  layout.write(root);
  return { entries: layout.entries, largest: layout.largest.list() };
}

class Layout {
  entries = 0;
  readonly largest = new LargestFiles();
  readonly #base: ByteName;
  readonly #options: LayOutOptions;
  readonly #contents = new ContentReader();
  readonly #links = new Map<FileNode, string | Buffer>();

  constructor(base: ByteName, options: LayOutOptions) {
    this.#base = base;
    this.#options = options;
  }

  write(root: DirectoryNode): void {
    try {
      this.#directory(root, '');
    } finally {
      this.#contents.close();
    }
  }

  #directory(directory: DirectoryNode, name: ByteName): void {
    const path = toHostPath(this.#base + name);
    mkdirSync(path, 0o700);
    for (const key of [...directory.children.keys()].sort()) {
      const node = directory.children.get(key);
      const childName = `${name}/${key}`;
      this.entries++;
      if (node?.kind === 'directory') this.#directory(node, childName);
      else if (node?.kind === 'file') this.#file(node, childName);
      else if (node !== undefined) {
        const link = toHostPath(this.#base + childName);
        symlinkSync(toHostPath(node.target), link);
        lutimesSync(link, 0, 0);
        this.#own(link, node.meta);
      }
    }
    // Last, since the mode may forbid what was done above.
    this.#own(path, directory.meta);
    chmodSync(path, directory.meta.mode);
    utimesSync(path, 0, 0);
  }

  #file(node: FileNode, name: ByteName): void {
    const path = toHostPath(this.#base + name);
    const first = this.#links.get(node);
    if (first !== undefined && this.#options.hardLinks === 'link') {
      linkSync(first, path);
      return;
    }
    this.#links.set(node, path);
    this.largest.add(name.slice(1), node.size);
    const copy = (output: FileWriter): void => {
      this.#contents.copy(node, output);
      output.finish();
    };
    createFile(path, copy, { digest: false });
    this.#own(path, node.meta);
    chmodSync(path, node.meta.mode);
    utimesSync(path, 0, 0);
  }

  /** Only root may give files away; the kernel's own message says so best. */
  #own(path: string | Buffer, { uid, gid }: CpioMeta): void {
    if (this.#options.owners === 'keep') lchownSync(path, uid, gid);
  }
}
