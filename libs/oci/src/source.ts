import { createHash, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Digest, digestMismatch } from './digest.ts';
import { OciFault } from './fault.ts';
import { pauseBefore } from './retry.ts';

/** Where images are read from: a layout, `kraft`'s store, or a repository of a registry. */
export interface ImageSource {
  /** For people: a path or an address. */
  readonly name: string;
  /** An index or a manifest, its digest checked. @throws OciFault BLOB_MISSING, DIGEST_MISMATCH, RegistryFault */
  readManifest(digest: Digest): Promise<Buffer>;
  /** A configuration or another small blob, its digest checked. Faults as {@link readManifest}. */
  readBlob(digest: Digest): Promise<Buffer>;
  /**
   * A blob's bytes from `offset` on, not checked; see {@link blobChunks}. A chunk holds its bytes only until the next is
   * asked for. Faults as {@link readManifest}.
   *
   * @param size  of the blob, where it is known
   */
  openBlob(digest: Digest, offset: number, size?: number): Promise<AsyncIterable<Buffer>>;
}

/** Which bytes are wanted, as a manifest's descriptors say. */
export interface Blob {
  readonly digest: Digest;
  readonly size: number;
}

/** How much of a blob has come in before. */
export interface Progress {
  readonly hash: Hash;
  readonly offset: number;
}

/** A blob as a stream; see {@link blobChunks}. */
export function blobStream(source: ImageSource, blob: Blob): Readable {
  return Readable.from(copies(blobChunks(source, blob)), { objectMode: false, highWaterMark: 256 * 1024 });
}

/** Streams read ahead. */
async function* copies(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) yield Buffer.from(chunk);
}

/** Bytes between two failures that make it worth going on for as long as it takes. */
const realProgress = 1024 * 1024;

/**
 * A blob's bytes, which go on where they were when a connection breaks, and which fail at their end unless size and
 * digest are right. A chunk holds its bytes only until the next is asked for.
 *
 * @param start  what came in before: only the rest is given, but the whole is checked
 * @throws OciFault DIGEST_MISMATCH, BLOB_TRUNCATED, and the faults of the source
 */
export async function* blobChunks(
  source: ImageSource,
  { digest, size }: Blob,
  start?: Progress,
): AsyncGenerator<Buffer> {
  const hash = start?.hash ?? createHash('sha256');
  let offset = start?.offset ?? 0;
  let failures = 0;
  let failedAt = offset;
  while (offset < size) {
    try {
      for await (const chunk of await source.openBlob(digest, offset, size)) {
        offset += chunk.length;
        if (offset > size) break;
        hash.update(chunk);
        yield chunk;
      }
      if (offset < size) throw truncated(source, digest, offset, size);
    } catch (error) {
      if (offset - failedAt >= realProgress) failures = 0;
      failedAt = offset;
      await sleep(pauseBefore(++failures, error));
    }
  }
  const actual = offset > size ? `another one, with more than ${size} bytes` : `sha256:${hash.digest('hex')}`;
  if (actual !== digest) throw digestMismatch(digest, actual, source.name);
}

function truncated(source: ImageSource, digest: Digest, offset: number, size: number): OciFault {
  return new OciFault('BLOB_TRUNCATED', `the blob ${digest} ends after ${offset} of ${size} bytes`, {
    at: source.name,
    hint: 'Try again; if it stays so, the image there is damaged and must be pushed again.',
  });
}
