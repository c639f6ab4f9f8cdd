import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, lstat, mkdir, open, realpath, symlink } from 'node:fs/promises';
import { dirname, join, posix, sep } from 'node:path';
import { PassThrough, Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { hasErrorCode } from '@nx-kraft/base';
import { type Entry, type Headers, extract } from 'tar-stream';
import { ComponentFault } from './fault.ts';

/** What an archive tells about itself. */
export interface UnpackedArchive {
  /** The commit, where git (or GitHub) made the archive. */
  readonly revision?: string;
}

/**
 * Unpacks a tar file, gzipped or not, into an empty folder, without the first component of its paths. Nothing is ever
 * written outside of the folder or through a link: links are made after all files, hard links become copies, and
 * absolute paths, `..`, links that lead out, devices and names that come twice are refused. Of the modes only the
 * owner's right to execute is taken over.
 *
 * @param at  what to call the archive in faults
 * @throws ComponentFault COMPONENT_BAD_ARCHIVE
 */
export async function unpackArchive(
  archive: string,
  folder: string,
  at: string,
  signal?: AbortSignal,
): Promise<UnpackedArchive> {
  const head = new HeadCollector();
  const entries = extract();
  const links: { readonly path: string; readonly target: string }[] = [];
  const fault = (message: string, cause?: unknown): ComponentFault =>
    new ComponentFault('COMPONENT_BAD_ARCHIVE', message, { at, cause });
  const reading = pipeline(createReadStream(archive), await decompressor(archive, fault), head, entries, { signal });
  const writing = (async () => {
    for await (const entry of entries) {
      const { header } = entry;
      const path = innerPath(header.name, fault);
      if (path === undefined) requireFolder(header, fault);
      else if (header.type === 'symlink') links.push({ path, target: header.linkname ?? '' });
      else await writeEntry(folder, path, entry, fault);
      if (header.type !== 'file' && header.type !== 'contiguous-file') entry.resume();
    }
  })();
  // When one of the two fails it stops the other; the first reason is the one to tell.
  const [written, read] = await Promise.allSettled([writing, reading]);
  signal?.throwIfAborted();
  if (written.status === 'rejected' && written.reason instanceof ComponentFault) throw written.reason;
  if (read.status === 'rejected') throw asDamage(read.reason, fault);
  if (written.status === 'rejected') throw asDamage(written.reason, fault);
  for (const link of links) await writeLink(folder, link, fault);
  for (const link of links) await checkLink(folder, link, fault);
  return readGitComment(head.collected);
}

type MakeFault = (message: string, cause?: unknown) => ComponentFault;

async function decompressor(archive: string, fault: MakeFault): Promise<Transform> {
  const handle = await open(archive);
  const { buffer } = await handle.read(Buffer.alloc(6), 0, 6).finally(() => handle.close());
  const kind = Object.entries(magics).find(([, magic]) => buffer.subarray(0, magic.length).equals(magic))?.[0];
  if (kind === 'gzip') return createGunzip();
  if (kind === undefined) return new PassThrough();
  throw fault(`it is packed with ${kind}, which cannot be unpacked; use a .tar.gz file or a git repository`);
}

const magics: Readonly<Record<string, Buffer>> = {
  gzip: Buffer.from([0x1f, 0x8b]),
  xz: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a]),
  bzip2: Buffer.from('BZh'),
  zstd: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]),
  zip: Buffer.from('PK'),
};

/** Lets everything through and keeps the beginning. */
class HeadCollector extends Transform {
  collected = Buffer.alloc(0);

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.collected.length < 1024) this.collected = Buffer.concat([this.collected, chunk.subarray(0, 1024)]);
    done(null, chunk);
  }
}

/** `git archive` begins with a pax header for all files that says `comment=<commit>`. */
function readGitComment(head: Buffer): UnpackedArchive {
  if (head.subarray(156, 157).toString() !== 'g') return {};
  const [, revision] = /^\d+ comment=([0-9a-f]{40,64})\n/.exec(head.subarray(512, 1024).toString('latin1')) ?? [];
  return revision === undefined ? {} : { revision };
}

/** A path within the archive without its first component; undefined for the first component itself. */
function innerPath(name: string, fault: MakeFault): string | undefined {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (name.startsWith('/') || parts.includes('..') || /[\\\0]|^[a-z]:/i.test(name)) {
    throw fault(`its path '${name}' leads out of it`);
  }
  return parts.length < 2 ? undefined : parts.slice(1).join('/');
}

function requireFolder({ name, type }: Headers, fault: MakeFault): void {
  if (type !== 'directory') throw fault(`its entry '${name}' does not lie in a folder, as sources do`);
}

async function writeEntry(folder: string, path: string, entry: Entry, fault: MakeFault): Promise<void> {
  const { header } = entry;
  const place = join(folder, path);
  try {
    await mkdir(header.type === 'directory' ? place : dirname(place), { recursive: true });
    if (header.type === 'directory') return;
    if (header.type === 'link') await copyLinked(folder, header, place, fault);
    else if (header.type === 'file' || header.type === 'contiguous-file') await writeFileEntry(place, header, entry);
    else throw fault(`its entry '${header.name}' is a ${header.type}`);
  } catch (error) {
    if (hasErrorCode(error, 'EEXIST', 'ENOTDIR', 'EISDIR')) throw fault(`its path '${header.name}' comes twice`, error);
    throw error;
  }
}

async function writeFileEntry(place: string, header: Headers, content: Entry): Promise<void> {
  const mode = ((header.mode ?? 0) & 0o100) === 0 ? 0o644 : 0o755;
  await pipeline(content, createWriteStream(place, { flags: 'wx', mode }));
}

async function copyLinked(folder: string, header: Headers, place: string, fault: MakeFault): Promise<void> {
  const target = innerPath(header.linkname ?? '', fault);
  const original = target === undefined ? undefined : join(folder, target);
  // Symbolic links are not there yet, so what is found here is a file of the archive.
  if (original === undefined || (await lstat(original).catch(ignoreMissing))?.isFile() !== true) {
    throw fault(`its link '${header.name}' has no file '${header.linkname}' to go with`);
  }
  await copyFile(original, place);
}

interface Link {
  readonly path: string;
  readonly target: string;
}

async function writeLink(folder: string, { path, target }: Link, fault: MakeFault): Promise<void> {
  const reached = posix.join(posix.dirname(path), target);
  if (target === '' || target.startsWith('/') || /^\.\.(\/|$)/.test(reached) || /[\\\0]|^[a-z]:/i.test(target)) {
    throw fault(`its link '${path}' leads out of it, to '${target}'`);
  }
  try {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await symlink(target, join(folder, path));
  } catch (error) {
    if (hasErrorCode(error, 'EEXIST', 'ENOTDIR', 'ENOENT')) throw fault(`its path '${path}' comes twice`, error);
    throw error;
  }
}

/** Links that go through links can lead out although each of them alone does not. */
async function checkLink(folder: string, { path, target }: Link, fault: MakeFault): Promise<void> {
  const reached = await realpath(join(folder, path)).catch(ignoreMissing);
  if (reached === undefined || `${reached}${sep}`.startsWith(`${await realpath(folder)}${sep}`)) return;
  throw fault(`its link '${path}' leads out of it, to '${target}'`);
}

function ignoreMissing(error: unknown): undefined {
  if (hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
  throw error;
}

/** Everything that tar and zlib complain of is the archive's fault; what the disk complains of is not. */
function asDamage(error: unknown, fault: MakeFault): unknown {
  if (hasErrorCode(error, 'ENOSPC', 'EDQUOT', 'EACCES', 'EROFS', 'EIO', 'EMFILE', 'ENOENT')) return error;
  return fault(`it is damaged: ${error instanceof Error ? error.message : String(error)}`, error);
}
