import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { hasErrorCode } from '@nx-kraft/base';

/** What tells a file from itself before it was last touched, and the digest of its content. */
export type KnownContent = readonly [identity: string, digest: string];

/**
 * Digests of the contents of files. One that is known from an earlier process is read again only when its file was touched:
 * to read all modules of an application would take longer than all else that happens before the first task of a command.
 */
export class ContentDigests {
  readonly #before: ReadonlyMap<string, KnownContent>;
  readonly #now = new Map<string, KnownContent>();

  /** @param before  what was known at the end of an earlier process, by absolute paths */
  constructor(before: ReadonlyMap<string, KnownContent> = new Map()) {
    this.#before = before;
  }

  /** What is known by now of the files that were asked for, by absolute paths. */
  get known(): ReadonlyMap<string, KnownContent> {
    return this.#now;
  }

  /**
   * The digest of a file's content; empty for one that cannot be read.
   *
   * @param file  absolute path
   */
  of(file: string): string {
    const seen = this.#now.get(file);
    if (seen !== undefined) return seen[1];
    // Before it is read: what changes meanwhile is not known then.
    const identity = identify(file);
    const before = this.#before.get(file);
    const known = before?.[0] === identity ? before : ([identity, digestOf(file)] as const);
    this.#now.set(file, known);
    return known[1];
  }
}

/** How long a file must have been left alone to be known, in milliseconds: some clocks of file systems count whole seconds. */
const quiet = 2000n;

/** Nothing tells a file from itself that is being written, and so it is never known. */
function identify(file: string): string {
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined || stats.ctimeMs + quiet > BigInt(Date.now())) return `${file} at ${performance.now()}`;
  return [stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(' ');
}

/** The digest of a file's content; empty for one that cannot be read, of which the task itself tells. */
export function digestOf(file: string | Buffer): string {
  const digest = createHash('sha256');
  try {
    const fd = openSync(file, 'r');
    try {
      const chunk = Buffer.allocUnsafe(256 * 1024);
      for (let size = readSync(fd, chunk); size > 0; size = readSync(fd, chunk)) digest.update(chunk.subarray(0, size));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EPERM')) return '';
    throw error;
  }
  return digest.digest('base64url');
}
