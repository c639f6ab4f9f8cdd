import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { basename, isAbsolute, join, resolve } from 'node:path';
import { hasErrorCode, regularFile } from '@nx-kraft/base';
import { RootfsFault } from './fault.ts';

/** What a root file system is made from. */
export type SourceKind = 'directory' | 'cpio' | 'tar' | 'erofs' | 'dockerfile' | 'image';

/** Words for `type` that Kraftfiles use, v0.7's among them. */
export const sourceTypes = [
  'directory',
  'dir',
  'file',
  'cpio',
  'tar',
  'tarball',
  'erofs',
  'dockerfile',
  'oci',
  'image',
] as const;
export type SourceType = (typeof sourceTypes)[number];

export interface Detected {
  readonly kind: SourceKind;
  /** The absolute path, or the image reference. */
  readonly location: string;
  /** The build context that goes with it: v0.7's `path` beside `dockerfile`. */
  readonly context?: string;
  /** Why it was taken for that, for people. */
  readonly because: string;
}

/**
 * Tells what `source` is: by `type` where it is given, else by what lies at the path, else as an image reference.
 *
 * @param source  a path, absolute or relative to `baseDirectory`, or an image reference
 * @param text  gives the text of a file that was read before, by its absolute path
 * @throws RootfsFault SOURCE_MISSING, SOURCE_UNKNOWN, SOURCE_MISMATCH; FileFault
 */
export function detectSource(
  source: string,
  baseDirectory: string,
  type?: SourceType,
  text: (path: string) => string | undefined = () => undefined,
): Detected {
  const path = resolve(baseDirectory, source);
  const found = lookAtText(text(path)) ?? look(path);
  if (type === 'oci' || type === 'image') {
    return { kind: 'image', location: found === 'layout' ? path : source, because: `type is ${type}` };
  }
  if (found === undefined) return withoutFile(source, baseDirectory, type);
  const wanted = type === undefined || type === 'file' ? undefined : (aliases[type] ?? type);
  const isDirectory = found === 'directory' || found === 'layout';
  if (wanted === 'dockerfile' && isDirectory) {
    return { kind: 'dockerfile', location: resolve(path, 'Dockerfile'), context: path, because: `type is ${type}` };
  }
  if (wanted === 'directory' && isDirectory) return { kind: 'directory', location: path, because: reasons.directory };
  const kind = kindOf(found, path);
  // What a Dockerfile looks like is only a guess; a type that says so wins.
  if (wanted === 'dockerfile' && (kind === undefined || kind === 'dockerfile')) {
    return { kind: 'dockerfile', location: path, because: `type is ${type}` };
  }
  if (kind === undefined) throw unknown(path, found);
  if (wanted !== undefined && wanted !== kind) throw mismatch(path, type ?? wanted, kind);
  return { kind, location: path, because: found === 'layout' ? 'it is an OCI image layout' : reasons[kind] };
}

/** What lies at a path: a directory, an OCI image layout, or a file by its first bytes. */
type Found = 'directory' | 'layout' | { readonly start: Buffer };

const aliases: Partial<Record<SourceType, SourceKind>> = { dir: 'directory', tarball: 'tar' };

const reasons: Readonly<Record<SourceKind, string>> = {
  directory: 'it is a directory',
  cpio: 'it begins like a CPIO archive',
  tar: 'it begins like a tar archive',
  erofs: 'it begins like an EROFS image',
  dockerfile: 'its name or its first instruction is that of a Dockerfile',
  image: 'no such file exists and it reads like an image reference',
};

/** How many bytes tell what a file is. */
const probed = 4096;

/** A text has all bytes of the file, unless some of them were no text. */
function lookAtText(text: string | undefined): Found | undefined {
  return text === undefined || text.includes('\ufffd') ? undefined : { start: Buffer.from(text.slice(0, probed)) };
}

function look(path: string): Found | undefined {
  try {
    if (statSync(path).isDirectory()) return existsSync(join(path, 'oci-layout')) ? 'layout' : 'directory';
    const fd = openSync(regularFile(path), 'r');
    try {
      const start = Buffer.alloc(probed);
      return { start: start.subarray(0, readSync(fd, start)) };
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

function kindOf(found: Found, path: string): SourceKind | undefined {
  if (found === 'directory') return 'directory';
  if (found === 'layout') return 'image';
  const { start } = found;
  if (/^07070[12]/.test(start.toString('latin1', 0, 6))) return 'cpio';
  if (start.toString('latin1', 257, 262) === 'ustar' || compressionOf(start) !== undefined) return 'tar';
  if (start.length > 1028 && start.readUInt32LE(1024) === 0xe0f5e1e2) return 'erofs';
  const isText = !start.includes(0);
  return isText && (hasDockerfileName(path) || firstInstruction.test(start.toString('utf8')))
    ? 'dockerfile'
    : undefined;
}

/** How a file is compressed, by its first bytes. */
export function compressionOf(start: Uint8Array): 'gzip' | 'zstd' | 'xz' | 'bzip2' | undefined {
  const magic = Buffer.from(start.subarray(0, 6)).toString('hex');
  if (magic.startsWith('1f8b')) return 'gzip';
  if (magic.startsWith('28b52ffd')) return 'zstd';
  if (magic.startsWith('fd377a585a00')) return 'xz';
  return magic.startsWith('425a68') ? 'bzip2' : undefined;
}

/** Whether a path's last part has the word, as in `Dockerfile`, `Dockerfile.web`, `web.dockerfile`, `Containerfile`. */
export function hasDockerfileName(path: string): boolean {
  return /dockerfile|containerfile/i.test(basename(path));
}

/** Comments and parser directives, then FROM or ARG. */
const firstInstruction = /^\uFEFF?(\s*(#[^\n]*)?\r?\n)*\s*(FROM|ARG)\s/i;

function withoutFile(source: string, baseDirectory: string, type: SourceType | undefined): Detected {
  const isPath =
    /^(\.{0,2}\/|~|[A-Za-z]:\\)|\.(cpio|tar|tgz|gz|zst|erofs|initrd)$/.test(source) || hasDockerfileName(source);
  if (type === undefined && !isPath && reference.test(source)) {
    return { kind: 'image', location: source, because: reasons.image };
  }
  const path = resolve(baseDirectory, source);
  const from = isAbsolute(source) ? '' : `The path is relative to ${baseDirectory}. `;
  throw new RootfsFault('SOURCE_MISSING', `there is nothing at ${path}`, {
    at: path,
    hint: hasDockerfileName(source)
      ? `${from}A Kraftfile names a Dockerfile elsewhere like this: rootfs: ../../Dockerfile`
      : `${from}If another task makes it, let this one depend on that task.`,
  });
}

/** Distribution's grammar of names, tags and digests, roughly: enough to tell one from a path. */
const reference =
  /^[a-z0-9]+([._:-][a-z0-9]+)*(\/[a-z0-9]+((\.|_{1,2}|-+)[a-z0-9]+)*)*(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$/i;

function unknown(path: string, found: Found): RootfsFault {
  const start = typeof found === 'string' ? undefined : found.start;
  const isElf = start?.toString('latin1', 1, 4) === 'ELF';
  const isEmpty = start?.length === 0;
  const what = isElf ? 'a program, not a root file system' : isEmpty ? 'empty' : 'no root file system that is known';
  return new RootfsFault('SOURCE_UNKNOWN', `${path} is ${what}`, {
    at: path,
    hint: isElf
      ? 'Put the program into a directory and give that, or copy it in a Dockerfile: FROM scratch, COPY program /program'
      : 'Known are directories, CPIO (newc) and tar archives, EROFS images, Dockerfiles and image references.',
  });
}

function mismatch(path: string, type: string, kind: SourceKind): RootfsFault {
  return new RootfsFault('SOURCE_MISMATCH', `${path} is no ${type}: ${reasons[kind]}`, {
    at: path,
    hint: `Leave "type" out, or write "type: ${kind}".`,
  });
}
