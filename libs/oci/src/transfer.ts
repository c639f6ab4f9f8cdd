import { hasErrorCode, isAlive } from '@nx-kraft/base';
import { createHash, randomUUID } from 'node:crypto';
import { closeSync, createReadStream, openSync, writeSync } from 'node:fs';
import { mkdir, readdir, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeManifest } from './decode.ts';
import { type Digest, hexOf } from './digest.ts';
import type { BlobFolder } from './blob-folder.ts';
import { mediaTypes } from './media-types.ts';
import type { Root } from './select.ts';
import { type Blob, blobChunks, type ImageSource, type Progress } from './source.ts';

/** What became of a blob that was to be brought somewhere. */
export type Outcome = 'there' | 'received' | 'mounted' | 'sent';

export interface TransferOptions {
  /** Called when a blob is where it should be. */
  readonly onBlob?: (blob: Blob, outcome: Outcome) => void;
  /** Called once, before the first blob, with the bytes of all blobs, also of those that will turn out to be there. */
  readonly onTotal?: (bytes: number) => void;
  /** Called with numbers of bytes while they come in or go out; first with what an earlier attempt left of a blob. */
  readonly onBytes?: (count: number) => void;
  /** Bring manifests and configurations only, so that the image can be listed, but not run. */
  readonly withoutLayers?: boolean;
}

/** How many blobs are under way at once. */
const parallelBlobs = 4;

/**
 * Brings an index or manifest and those of its manifests that are given, with all that they need, into a folder. What
 * is there already stays. The image gets no name; that is the last step, and the caller's.
 *
 * @throws OciFault DIGEST_MISMATCH, BLOB_TRUNCATED, BLOB_MISSING, DOCUMENT_INVALID, and the faults of the source
 */
export async function copyImage(
  source: ImageSource,
  root: Root,
  manifests: readonly Digest[],
  target: BlobFolder,
  options: TransferOptions = {},
): Promise<void> {
  const blobs = new Map<Digest, Blob>();
  for (const digest of manifests) {
    const bytes = digest === root.descriptor.digest ? root.bytes : await readOnce(source, target, digest);
    const manifest = decodeManifest(bytes, `${source.name}@${digest}`);
    await target.writeBlob(bytes, mediaTypes.manifest);
    const layers = options.withoutLayers === true ? [] : manifest.layers;
    for (const blob of [manifest.config, ...layers]) blobs.set(blob.digest, blob);
  }
  options.onTotal?.(sumSizes([...blobs.values()]));
  await forEachParallel([...blobs.values()], async (blob) => {
    const outcome = await receiveBlob(source, blob, target, options.onBytes);
    options.onBlob?.(blob, outcome);
  });
  await target.writeBlob(root.bytes, root.descriptor.mediaType);
}

/**
 * Brings one blob into a folder, unless it is there; goes on with what an earlier attempt left.
 *
 * @throws OciFault DIGEST_MISMATCH, BLOB_TRUNCATED, BLOB_MISSING, and the faults of the source
 */
export async function receiveBlob(
  source: ImageSource,
  blob: Blob,
  target: BlobFolder,
  onBytes?: TransferOptions['onBytes'],
): Promise<'there' | 'received'> {
  if (target.sizeOf(blob.digest) === blob.size) {
    await touch(target.blobPath(blob.digest));
    return 'there';
  }
  const folder = join(target.folder, 'partial');
  const left = join(folder, hexOf(blob.digest));
  const mine = `${left}.${process.pid}.${randomUUID()}`;
  await mkdir(folder, { recursive: true });
  const start = await takeOver(folder, hexOf(blob.digest), mine, blob.size);
  if (start.offset > 0) onBytes?.(start.offset);
  try {
    await writeChunks(counted(blobChunks(source, blob, start), onBytes), mine);
    await rename(mine, target.blobPath(blob.digest));
    return 'received';
  } catch (error) {
    // What came in is right so far, unless the whole turned out to be wrong.
    if (hasErrorCode(error, 'DIGEST_MISMATCH')) await rm(mine, { force: true });
    else await renameIfThere(mine, left);
    throw error;
  }
}

/** Bytes of some blobs together. */
export function sumSizes(blobs: readonly Pick<Blob, 'size'>[]): number {
  return blobs.reduce((sum, { size }) => sum + size, 0);
}

/** The chunks as they are, told by their lengths. */
export async function* counted(
  chunks: AsyncIterable<Buffer>,
  onBytes: TransferOptions['onBytes'],
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    onBytes?.(chunk.length);
    yield chunk;
  }
}

/** Writes at once: handing each of thousands of small chunks to the thread pool costs more than the writing. */
async function writeChunks(chunks: AsyncIterable<Buffer>, path: string): Promise<void> {
  const file = openSync(path, 'a');
  try {
    for await (const chunk of chunks) {
      for (let start = 0; start < chunk.length;) start += writeSync(file, chunk, start);
    }
  } finally {
    closeSync(file);
  }
}

/** Runs `work` on all items, several at a time; begins nothing more after a failure, and fails with the first. */
export async function forEachParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  let failed = false;
  const workers = Array.from({ length: parallelBlobs }, async () => {
    for (const item of queue) {
      if (failed) return;
      try {
        await work(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  });
  const ends = await Promise.allSettled(workers);
  const failure = ends.find((end) => end.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}

/** From the target if it has it whole, else from the source. */
async function readOnce(source: ImageSource, target: BlobFolder, digest: Digest): Promise<Buffer> {
  try {
    return await target.readManifest(digest);
  } catch (error) {
    if (hasErrorCode(error, 'BLOB_MISSING', 'DIGEST_MISMATCH')) return source.readManifest(digest);
    throw error;
  }
}

/** Makes the blob young, so that a prune that runs now leaves it. */
async function touch(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now);
}

/** Makes what a failed attempt or a dead process left ours, if there is something; only one process can. */
async function takeOver(folder: string, hex: string, mine: string, size: number): Promise<Progress> {
  for (const name of await readdir(folder)) {
    const [blob, holder] = name.split('.');
    const isFree = blob === hex && (holder === undefined || !isAlive(Number(holder)));
    if (!isFree || !(await renameIfThere(join(folder, name), mine))) continue;
    const progress = await readProgress(mine);
    if (progress.offset <= size) return progress;
    await rm(mine);
  }
  return { hash: createHash('sha256'), offset: 0 };
}

async function readProgress(path: string): Promise<Progress> {
  const hash = createHash('sha256');
  let offset = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    offset += chunk.length;
  }
  return { hash, offset };
}

async function renameIfThere(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return false;
    throw error;
  }
}
