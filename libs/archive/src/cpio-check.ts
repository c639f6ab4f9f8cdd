import { type CpioEntry, CpioParser } from './cpio-parser.ts';
import type { CpioWritten } from './cpio-writer.ts';
import { ArchiveFault } from './fault.ts';
import { createFile, type FileWriter, readChunks } from './file-writer.ts';
import { LargestFiles } from './largest.ts';
import { cleanName, parentOf, toText } from './names.ts';

export interface CheckedCpio extends CpioWritten {
  /** What guests will not see as it was meant, as sentences. */
  readonly warnings: readonly string[];
}

/**
 * Copies a CPIO archive byte for byte and checks on the way that a guest can unpack it: format newc, names inside the
 * root, directories before what they hold, nothing that replaces a directory by a file or the other way round.
 *
 * @param digest  whether to take the SHA-256 (default true)
 * @throws ArchiveFault ARCHIVE_INVALID, ARCHIVE_TRUNCATED, NAME_UNSAFE, ENTRY_MISPLACED; then `target` does not exist
 */
export function copyCpio(source: string, target: string, options: { digest?: boolean } = {}): CheckedCpio {
  const checker = new Checker(source);
  const parser = new CpioParser({ entry: (entry) => checker.add(entry) }, source);
  const copy = (output: FileWriter): CheckedCpio => {
    readChunks(source, (chunk) => {
      parser.push(chunk);
      output.bytes(chunk);
    });
    parser.end();
    return { ...output.finish(), ...checker.result() };
  };
  return createFile(target, copy, options);
}

class Checker {
  readonly #at: string;
  readonly #isDirectory = new Map<string, boolean>([['', true]]);
  readonly #largest = new LargestFiles();
  readonly #linked = new Set<number>();
  readonly #warnings = new Set<string>();
  #entries = 0;

  constructor(at: string) {
    this.#at = at;
  }

  add(entry: CpioEntry): void {
    this.#entries++;
    const name = cleanName(entry.name, this.#at);
    const type = entry.mode & typeBits;
    if (name === '') {
      if (type !== directoryType) throw this.#misplaced('.', 'is the root, but no directory');
      return;
    }
    if (this.#isDirectory.get(parentOf(name)) !== true) {
      throw this.#misplaced(name, 'comes before the directory that holds it, and guests create no missing directories');
    }
    const isDirectory = type === directoryType;
    if ((this.#isDirectory.get(name) ?? isDirectory) !== isDirectory) {
      throw this.#misplaced(name, 'is a directory and something else as well');
    }
    this.#isDirectory.set(name, isDirectory);
    if (type === fileType) this.#addFile(entry, name);
    else if (!isDirectory && type !== linkType) {
      this.#warnings.add(`${toText(name)} is a device, pipe or socket: Unikraft leaves it out.`);
    }
  }

  result(): { entries: number; largest: CheckedCpio['largest']; warnings: readonly string[] } {
    return { entries: this.#entries, largest: this.#largest.list(), warnings: [...this.#warnings] };
  }

  #addFile(entry: CpioEntry, name: string): void {
    this.#largest.add(name, entry.size);
    if (entry.links < 2) return;
    // GNU cpio puts the content of a hard link on its last name.
    if (entry.size > 0 && this.#linked.has(entry.inode)) {
      this.#warnings.add(
        `${toText(name)} carries the content of hard links that come before it: Unikraft makes empty files of those.` +
          ' Give the directory instead of the CPIO archive.',
      );
    }
    this.#linked.add(entry.inode);
  }

  #misplaced(name: string, what: string): ArchiveFault {
    return new ArchiveFault('ENTRY_MISPLACED', `${toText(name)} ${what}`, {
      at: this.#at,
      hint: 'Give the directory or a tar archive instead, or make the archive with: find . | sort | cpio -o -H newc',
    });
  }
}

const typeBits = 0o170000;
const directoryType = 0o040000;
const fileType = 0o100000;
const linkType = 0o120000;
