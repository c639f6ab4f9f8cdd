import { createHmac, timingSafeEqual } from 'node:crypto';
import { Transform } from 'node:stream';

/** Marks the end of an entry that was sealed, so that one of another kind is not taken for a damaged one. */
const mark = Buffer.from('nxkraft1');

/** How many bytes a seal adds to an entry. */
export const sealSize = mark.length + 32;

/**
 * Adds a seal to an entry of the cache that passes through: a digest over the task's key and the entry, keyed where the
 * team shares a secret. Entries are gzip streams, whose readers do not look at what follows, so those who know nothing
 * of seals read them, too.
 *
 * @param secret  empty: anybody can make seals, and they tell damaged and exchanged entries only
 */
export function sealing(hash: string, secret: string): Transform {
  const digest = createHmac('sha256', secret).update(`${hash}\0`);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      digest.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      done(null, Buffer.concat([mark, digest.digest()]));
    },
  });
}

/** Takes the seal off an entry that passes through, and tells at the end whether it was the right one. */
export class Unsealing extends Transform {
  /** Whether all of the entry passed, under the right key, as it was sealed. */
  isGenuine = false;
  readonly #digest;
  #tail = Buffer.alloc(0);

  constructor(hash: string, secret: string) {
    super();
    this.#digest = createHmac('sha256', secret).update(`${hash}\0`);
  }

  override _transform(chunk: Buffer, _encoding: string, done: (error: null, chunk: Buffer) => void): void {
    const all = Buffer.concat([this.#tail, chunk]);
    const passed = all.subarray(0, Math.max(0, all.length - sealSize));
    this.#tail = all.subarray(passed.length);
    this.#digest.update(passed);
    done(null, passed);
  }

  override _flush(done: () => void): void {
    const seal = Buffer.concat([mark, this.#digest.digest()]);
    this.isGenuine = this.#tail.length === seal.length && timingSafeEqual(this.#tail, seal);
    done();
  }
}
