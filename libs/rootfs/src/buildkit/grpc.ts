import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
  ServerHttp2Stream,
} from 'node:http2';
import { RootfsFault } from '../fault.ts';

/** How a call failed: gRPC's status code and message, and perhaps a `google.rpc.Status` that says more. */
export class GrpcError extends Error {
  override readonly name = 'GrpcError';
  readonly status: number;
  readonly details: Buffer;

  constructor(status: number, message: string, details: Buffer = Buffer.alloc(0)) {
    super(message);
    this.status = status;
    this.details = details;
  }
}

/** A message with gRPC's prefix of five bytes. */
export function frame(message: Uint8Array): Buffer {
  return Buffer.concat([frameHead(message.length), message]);
}

/** Just that prefix, for a message of so many bytes. */
export function frameHead(length: number): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length, 1);
  return head;
}

/** Splits what arrives into messages; pieces are joined only when a message is whole. */
export class MessageReader {
  readonly #take: (message: Buffer) => void;
  #pieces: Buffer[] = [];
  #length = 0;

  constructor(take: (message: Buffer) => void) {
    this.#take = take;
  }

  push(chunk: Buffer): void {
    this.#pieces.push(chunk);
    this.#length += chunk.length;
    for (let wanted = this.#wanted(); wanted !== undefined && this.#length >= wanted; wanted = this.#wanted()) {
      const all = this.#joined();
      this.#pieces = [all.subarray(wanted)];
      this.#length -= wanted;
      this.#take(all.subarray(5, wanted));
    }
  }

  #wanted(): number | undefined {
    if (this.#length < 5) return undefined;
    const first = this.#pieces[0]?.length ?? 0;
    return 5 + (first >= 5 ? this.#pieces[0] : this.#joined())!.readUInt32BE(1);
  }

  #joined(): Buffer {
    const joined = this.#pieces.length === 1 ? this.#pieces[0] : undefined;
    const all = joined ?? Buffer.concat(this.#pieces);
    this.#pieces = [all];
    return all;
  }
}

/** Opens a call; the caller writes framed messages and ends the stream. */
export function call(session: ClientHttp2Session, path: string, headers: OutgoingHttpHeaders = {}): ClientHttp2Stream {
  return session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
}

/**
 * Sends one message and gives each that comes back to `take`; resolves when the call ended well.
 *
 * @throws GrpcError with the other side's message
 */
export async function request(
  session: ClientHttp2Session,
  path: string,
  message: Uint8Array,
  take: (message: Buffer) => void = () => undefined,
): Promise<void> {
  const stream = call(session, path);
  const reader = new MessageReader(take);
  const ended = completion(stream);
  stream.on('data', (chunk: Buffer) => reader.push(chunk));
  stream.end(frame(message));
  await ended;
}

/** Resolves when a call ended with status 0. */
export function completion(stream: ClientHttp2Stream): Promise<void> {
  return new Promise((resolve, reject) => {
    const status = (headers: IncomingHttpHeaders): void => {
      const code = headers['grpc-status'];
      if (code === undefined) return;
      if (code === '0') resolve();
      else reject(errorOf(Number(code), headers));
    };
    // A call that fails at once has its status in the headers.
    stream.on('response', status);
    stream.on('trailers', status);
    stream.on('error', reject);
    stream.on('close', () => reject(lost()));
  });
}

function errorOf(status: number, headers: IncomingHttpHeaders): GrpcError {
  const details = Buffer.from(String(headers['grpc-status-details-bin'] ?? ''), 'base64');
  return new GrpcError(status, decodeURIComponent(String(headers['grpc-message'] ?? '')), details);
}

export function lost(cause?: unknown): RootfsFault {
  return new RootfsFault('BUILDER_FAILED', 'the connection to the builder broke off', {
    hint: 'Look whether it still runs (out of memory, full disk, restarted), and build again.',
    cause,
  });
}

/** Ends a call that was answered, with status 0 or with an error. */
export function finish(stream: ServerHttp2Stream, error?: GrpcError): void {
  stream.on('wantTrailers', () => {
    stream.sendTrailers({
      'grpc-status': String(error?.status ?? 0),
      ...(error === undefined ? {} : { 'grpc-message': encodeURIComponent(error.message) }),
    });
  });
  stream.end();
}

/** Accepts a call. */
export function accept(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
}
