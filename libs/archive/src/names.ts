import { ArchiveFault } from './fault.ts';

/**
 * Names of files as the disk and the archives hold them: bytes, which need not be UTF-8. They are carried as strings of
 * one character for each byte (`latin1`), so that nothing is lost, order by code unit is order by byte, and names can
 * be keys. {@link toText} makes them readable, {@link toByteName} goes the other way.
 */
export type ByteName = string;

/** The text of a name for people and programs; bytes that are no UTF-8 become U+FFFD. */
export function toText(name: ByteName): string {
  return isAscii(name) ? name : Buffer.from(name, 'latin1').toString('utf8');
}

/** A name from text, as UTF-8 bytes. */
export function toByteName(text: string): ByteName {
  return isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** The path to hand to `node:fs` for a byte name: a string where that is the same, else its bytes. */
export function toHostPath(name: ByteName): string | Buffer {
  return isAscii(name) ? name : Buffer.from(name, 'latin1');
}

/** Whether every character is below 128. */
export function isAscii(text: string): boolean {
  return !/[^\x00-\x7f]/.test(text);
}

/**
 * Order of entries in our archives: depth first, siblings by byte. So `a` < `a/x` < `a.txt`, as if `/` came before
 * every other byte.
 */
export function compareNames(left: ByteName, right: ByteName): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return (a === slash ? 0 : a) - (b === slash ? 0 : b);
  }
  return left.length - right.length;
}

/** The name of the directory that holds `name`; '' for the root. */
export function parentOf(name: ByteName): ByteName {
  const end = name.lastIndexOf('/');
  return end < 0 ? '' : name.slice(0, end);
}

/** Longest path that a guest opens, its final zero included (PATH_MAX). */
const longestPath = 4096;

/**
 * A name from an archive as the path below the root that it means: no leading or final `/`, no `.`, no `//`. The root
 * itself is ''.
 *
 * @param at  the archive, for the fault
 * @throws ArchiveFault NAME_UNSAFE for `..`, a zero byte or a name that is too long
 */
export function cleanName(name: ByteName, at: string): ByteName {
  const start = name.startsWith('./') ? 2 : 0;
  const trimmed = name.slice(start, name.endsWith('/') ? -1 : undefined);
  // Nearly all names need no more than this.
  if (!oddParts.test(trimmed) && trimmed.length < longestPath) return trimmed;
  const clean = trimmed
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
  const reason = whyUnsafe(clean);
  if (reason !== undefined) {
    throw new ArchiveFault('NAME_UNSAFE', `the entry ${JSON.stringify(shorten(toText(name)))} ${reason}`, {
      at,
      hint: 'Nothing was written. Make the archive again from inside the directory that becomes the root.',
    });
  }
  return clean;
}

const slash = 47;
/** Parts that are empty, `.` or `..`, and zero bytes. */
const oddParts = /(?:^|\/)\.{0,2}(?:\/|$)|\0/;
const leavesRoot = /(^|\/)\.\.(\/|$)/;

function whyUnsafe(name: ByteName): string | undefined {
  if (leavesRoot.test(name)) return 'leads out of the root with ".."';
  if (name.includes('\0')) return 'holds a zero byte';
  if (name.length >= longestPath) return `is longer than ${longestPath - 1} bytes`;
  return undefined;
}

function shorten(text: string): string {
  return text.length <= 120 ? text : `${text.slice(0, 80)}…${text.slice(-39)}`;
}
