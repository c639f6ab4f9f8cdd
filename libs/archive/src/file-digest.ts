import type * as Crypto from 'node:crypto';
import { createHash } from 'node:crypto';
import type * as FileSystem from 'node:fs';
import { readSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

/** From here on, another thread is worth its start. */
const largeFile = 8 * 1024 * 1024;

/** No thread that works is silent for so long, in milliseconds. */
const patience = 60_000;

/** Places in the memory that both threads see, as 64-bit numbers. */
const slot = {
  /** Bytes that were written, with {@link finishedFlag} once there will be no more. */
  written: 0,
  /** 0 while the digest is being taken, then 1, or -1 when it could not be. */
  outcome: 1,
  /** The digest's 32 bytes. */
  digest: 2,
} as const;

const finishedFlag = 1n << 62n;

/**
 * The SHA-256 of a file that is being written. Small files are read back at the end; a large one is followed by a thread
 * of its own, so that hashing, which takes as long as writing, costs next to nothing where there is a second core.
 */
export class FileDigest {
  readonly #fd: number;
  #shared: BigInt64Array | undefined;

  /** @param fd  open for reading, too */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Tells that the file now has `size` bytes, which will not change. */
  advance(size: number): void {
    if (size < largeFile) return;
    this.#shared ??= startFollower(this.#fd);
    Atomics.store(this.#shared, slot.written, BigInt(size));
    Atomics.notify(this.#shared, slot.written);
  }

  /** The digest of the file's first `size` bytes, as `sha256:` and hex digits. */
  finish(size: number): string {
    const digest = this.#followed(size) ?? this.#readBack(size);
    return `sha256:${digest.toString('hex')}`;
  }

  /** Ends the thread of a file that will not be finished. */
  abandon(): void {
    if (this.#shared !== undefined) end(this.#shared, 0);
    this.#shared = undefined;
  }

  #followed(size: number): Buffer | undefined {
    const shared = this.#shared;
    if (shared === undefined) return undefined;
    this.#shared = undefined;
    end(shared, size);
    while (Atomics.load(shared, slot.outcome) === 0n) {
      if (Atomics.wait(shared, slot.outcome, 0n, patience) === 'timed-out') return undefined;
    }
    return Atomics.load(shared, slot.outcome) === 1n ? Buffer.from(shared.buffer, slot.digest * 8, 32) : undefined;
  }

  #readBack(size: number): Buffer {
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafeSlow(Math.max(1, Math.min(size, 256 * 1024)));
    for (let position = 0; position < size;) {
      const length = readSync(this.#fd, buffer, 0, Math.min(buffer.length, size - position), position);
      hash.update(buffer.subarray(0, length));
      position += length;
    }
    return hash.digest();
  }
}

function end(shared: BigInt64Array, size: number): void {
  Atomics.store(shared, slot.written, BigInt(size) | finishedFlag);
  Atomics.notify(shared, slot.written);
}

function startFollower(fd: number): BigInt64Array {
  const shared = new BigInt64Array(new SharedArrayBuffer(8 * slot.digest + 32));
  // As text, since a thread that has to load a module of its own is up only when the work is done.
  const script = `(${follow.toString()})(require('node:worker_threads').workerData, require('node:fs'), require('node:crypto'))`;
  const worker = new Worker(script, {
    eval: true,
    execArgv: [],
    env: {},
    workerData: { fd, shared, slot, finishedFlag },
  });
  worker.unref();
  return shared;
}

interface FollowerData {
  readonly fd: number;
  readonly shared: BigInt64Array<SharedArrayBuffer>;
  readonly slot: { readonly written: number; readonly outcome: number; readonly digest: number };
  readonly finishedFlag: bigint;
}

/** Runs in the thread; it sees nothing but its parameters. What was written is read back from the system's cache. */
function follow({ fd, shared, slot, finishedFlag }: FollowerData, fs: typeof FileSystem, crypto: typeof Crypto): void {
  try {
    const hash = crypto.createHash('sha256');
    const buffer = Buffer.allocUnsafeSlow(256 * 1024);
    for (let hashed = 0n, seen = 0n; seen < finishedFlag;) {
      Atomics.wait(shared, slot.written, seen);
      seen = Atomics.load(shared, slot.written);
      const written = seen & ~finishedFlag;
      while (hashed < written) {
        const wanted = Math.min(buffer.length, Number(written - hashed));
        const length = fs.readSync(fd, buffer, 0, wanted, Number(hashed));
        if (length === 0) throw new Error('the file is shorter than what was written');
        hash.update(buffer.subarray(0, length));
        hashed += BigInt(length);
      }
    }
    hash.digest().copy(Buffer.from(shared.buffer, slot.digest * 8, 32));
    Atomics.store(shared, slot.outcome, 1n);
  } catch {
    // The writer then takes the digest itself, and meets the same error if there is one.
    Atomics.store(shared, slot.outcome, -1n);
  }
  Atomics.notify(shared, slot.outcome);
}
