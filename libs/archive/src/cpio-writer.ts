import { ArchiveFault } from './fault.ts';
import type { FileWriter, Written } from './file-writer.ts';
import { type LargeFile, LargestFiles } from './largest.ts';
import { type ByteName, toText } from './names.ts';

/** What CPIO newc keeps of an entry beside its name and content. */
export interface CpioMeta {
  /** Permission, setuid, setgid and sticky bits (octal 7777). */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface CpioWritten extends Written {
  /** How many entries, the end mark not counted. */
  readonly entries: number;
  /** The ten largest files, largest first. */
  readonly largest: readonly LargeFile[];
}

/** Largest size that the eight hexadecimal digits of newc can say. */
export const largestCpioFile = 0xffff_ffff;

const kinds = { directory: 0o040000, file: 0o100000, symlink: 0o120000 } as const;

/**
 * Writes a CPIO newc archive that depends on nothing but its entries: inode numbers count from 1, device numbers are
 * 0, every entry has one link unless it is written with {@link link}, every time is the one given, nothing follows the
 * end mark. Names begin with `./`, as KraftKit's do: a file may be called like the end mark. The caller gives parents before children, since guests create no
 * missing parents, and data before its other names, since guests link to the first name that they see.
 */
export class CpioWriter {
  readonly #output: FileWriter;
  readonly #time: number;
  readonly #largest = new LargestFiles();
  #entries = 0;
  #inodes = 0;

  /** @param time  modification time of every entry, in seconds since 1970 */
  constructor(output: FileWriter, time: number) {
    this.#output = output;
    this.#time = time;
  }

  directory(name: ByteName, meta: CpioMeta): void {
    this.#header(name, kinds.directory, meta, 0, ++this.#inodes, 1);
  }

  symlink(name: ByteName, meta: CpioMeta, target: ByteName): void {
    this.#header(name, kinds.symlink, meta, target.length, ++this.#inodes, 1);
    this.#output.text(target, -target.length & 3);
  }

  /**
   * Writes the header of a regular file; its content follows through the {@link FileWriter}, then {@link endFile}.
   *
   * @param links  how many names it has in this archive; the others follow with {@link link}
   * @returns its inode number, for {@link link}
   * @throws ArchiveFault FILE_TOO_LARGE at 4 GiB and more
   */
  file(name: ByteName, meta: CpioMeta, size: number, links = 1): number {
    if (size > largestCpioFile) {
      throw new ArchiveFault('FILE_TOO_LARGE', `${toText(name)} has ${size} bytes; CPIO holds at most 4 GiB - 1`, {
        at: toText(name),
        hint: 'Leave it out of the root file system and attach it as a volume or a ROM.',
      });
    }
    this.#largest.add(name, size);
    this.#header(name, kinds.file, meta, size, ++this.#inodes, links);
    return this.#inodes;
  }

  endFile(): void {
    this.#output.align(4);
  }

  /** Another name of a file that was written with the same `inode` and `links`. */
  link(name: ByteName, meta: CpioMeta, inode: number, links: number): void {
    this.#header(name, kinds.file, meta, 0, inode, links);
  }

  /** Writes the end mark. */
  finish(): CpioWritten {
    this.#output.bytes(endMark);
    return { ...this.#output.finish(), entries: this.#entries, largest: this.#largest.list() };
  }

  #header(name: ByteName, kind: number, meta: CpioMeta, size: number, inode: number, links: number): void {
    const { buffer } = this.#output;
    const start = this.#output.reserve(template.length);
    buffer.set(template, start);
    hex(buffer, start + 6, inode);
    hex(buffer, start + 14, kind | meta.mode);
    hex(buffer, start + 22, meta.uid);
    hex(buffer, start + 30, meta.gid);
    hex(buffer, start + 38, links);
    hex(buffer, start + 46, this.#time);
    hex(buffer, start + 54, size);
    hex(buffer, start + 94, namePrefix.length + name.length + 1);
    this.#output.advance(template.length);
    // One zero ends the name, up to three more align what follows: entries begin at multiples of 4.
    this.#output.text(name, 4 - ((template.length + name.length) & 3));
    this.#entries++;
  }
}

const zero = '0'.repeat(8);
const namePrefix = './';
/** A header of nothing but zeros, and what all names begin with. */
const template = Buffer.from(`070701${zero.repeat(13)}${namePrefix}`, 'latin1');
/** One link and the length of its name are all that it says; three zeros more than the one that ends the name align it. */
const endMark = Buffer.from(
  `070701${zero.repeat(4)}00000001${zero.repeat(6)}0000000B${zero}TRAILER!!!\0\0\0\0`,
  'latin1',
);
const digits = Buffer.from('0123456789ABCDEF', 'latin1');

/** Eight digits over the zeros of the template. */
function hex(buffer: Buffer, start: number, value: number): void {
  for (let index = start + 7, rest = value >>> 0; rest !== 0; index--, rest >>>= 4) {
    buffer[index] = digits[rest & 15] ?? 0;
  }
}
