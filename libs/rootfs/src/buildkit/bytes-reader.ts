import { GrpcError } from './grpc.ts';

/** Length of gRPC's prefix: a flag, and the message's length. */
const prefixLength = 5;

/**
 * Takes the bytes out of messages `BytesMessage{1 data}` piece by piece, as they arrive. Putting messages together first
 * would copy a whole result once more, and getting rid of these copies takes longer than all else.
 */
export class BytesReader {
  readonly #take: (piece: Buffer) => void;
  /** The prefix, the field's tag and its length, as far as they have come. */
  readonly #head = Buffer.alloc(prefixLength + 6);
  #filled = 0;
  /** Bytes of the message at hand that are still to come. */
  #left = 0;

  constructor(take: (piece: Buffer) => void) {
    this.#take = take;
  }

  /** @throws GrpcError for a message that is another one */
  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#left === 0) {
        this.#takeHead(chunk[at++] ?? 0);
        continue;
      }
      const end = Math.min(at + this.#left, chunk.length);
      this.#left -= end - at;
      this.#take(chunk.subarray(at, end));
      at = end;
    }
  }

  #takeHead(byte: number): void {
    this.#head[this.#filled++] = byte;
    if (this.#filled < prefixLength) return;
    const length = this.#head.readUInt32BE(1);
    // The tag, then at least one byte of length; all but its last have their highest bit set.
    const isWhole = length === 0 || (this.#filled > prefixLength + 1 && byte < 128);
    if (isWhole) {
      this.#left = length === 0 ? 0 : this.#contentLength(length);
      this.#filled = 0;
    } else if (this.#filled === this.#head.length) {
      throw unexpected();
    }
  }

  #contentLength(messageLength: number): number {
    let length = 0;
    for (let index = this.#filled - 1; index > prefixLength; index--) {
      length = length * 128 + ((this.#head[index] ?? 0) & 127);
    }
    const isBytes = this.#head[0] === 0 && this.#head[prefixLength] === 0x0a;
    if (!isBytes || this.#filled - prefixLength + length !== messageLength) throw unexpected();
    return length;
  }
}

/** gRPC's code for an internal error. */
function unexpected(): GrpcError {
  return new GrpcError(13, 'the builder sent a message of another kind than expected');
}
