import { Fault } from '@nx-kraft/base';

export type ArchiveFaultCode =
  /** Bytes that are no tar or CPIO archive, or a part of one that breaks the format's rules. */
  | 'ARCHIVE_INVALID'
  /** The archive ends before its end mark. */
  | 'ARCHIVE_TRUNCATED'
  /** A name that leaves the root, or that no guest can open. */
  | 'NAME_UNSAFE'
  /** More than a 32-bit field of CPIO newc can say. */
  | 'FILE_TOO_LARGE'
  /** A file that grew, shrank or went away while it was read. */
  | 'FILE_CHANGED'
  /** A hard link whose first name is not in the archive, or symbolic links in a circle. */
  | 'LINK_BROKEN'
  /** An entry below something that is no directory, or the root itself as something else. */
  | 'ENTRY_MISPLACED'
  /** A kind of entry that cannot be carried over, such as a sparse file. */
  | 'ENTRY_UNSUPPORTED';

/** An archive that cannot be read or written. `at` is the archive, or the file that was to go into it. */
export class ArchiveFault extends Fault<ArchiveFaultCode> {
  override readonly name = 'ArchiveFault';
}
