import { createHash } from 'node:crypto';
import { pipeline, type Readable, Transform } from 'node:stream';
import { type Digest, digestMismatch } from './digest.ts';

/**
 * Passes `source` on and fails at its end when its bytes do not have this digest. Closing it closes the source.
 *
 * @param at  where the bytes come from, for the fault
 */
export function verifiedStream(source: Readable, digest: Digest, at: string): Readable {
  const hash = createHash('sha256');
  const checker = new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      const actual = `sha256:${hash.digest('hex')}`;
      done(actual === digest ? null : digestMismatch(digest, actual, at));
    },
  });
  // The error reaches the reader through the checker; the callback only keeps it from being thrown here as well.
  pipeline(source, checker, () => undefined);
  return checker;
}
