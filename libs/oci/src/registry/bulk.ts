import { validateHeaderValue } from 'node:http';
import type { OnReadOpts, Socket } from 'node:net';
import { once } from 'node:events';

/** An answer whose body is read in place. */
export interface BulkResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: BulkBody;
}

export interface BulkRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds without a byte after which it is given up. */
  readonly timeout: number;
  /** What it is given up with. */
  readonly onTimeout: () => Error;
}

const bufferSize = 256 * 1024;
const longestHead = 64 * 1024;

/**
 * GETs something large by a connection of its own, which reads into one buffer again and again. Node's HTTP client makes
 * a buffer for every 64 KiB instead, which costs a third of the time and piles up to some 100 MiB before it is collected.
 *
 * Gives undefined for an answer whose length is not said at its beginning (RFC 9112, section 6.3): the caller then asks
 * by Node's client, which knows all forms.
 *
 * @param connect  makes the connection
 */
export async function getInBulk(
  connect: (onread: OnReadOpts) => Socket,
  request: BulkRequest,
): Promise<BulkResponse | undefined> {
  const reader = new SocketReader(connect, request);
  try {
    await reader.write(headOf(request));
    let bytes = Buffer.alloc(0);
    let end = -1;
    while ((end = bytes.indexOf('\r\n\r\n')) < 0) {
      if (bytes.length > longestHead) return reader.close();
      bytes = Buffer.concat([bytes, await reader.read()]);
    }
    const { status, headers } = parseHead(bytes.toString('latin1', 0, end));
    const length = Number(headers['content-length'] ?? NaN);
    const isPlain = status >= 200 && headers['transfer-encoding'] === undefined && Number.isSafeInteger(length);
    return isPlain ? { status, headers, body: new BulkBody(reader, bytes.subarray(end + 4), length) } : reader.close();
  } catch (error) {
    reader.close();
    throw error;
  }
}

function headOf({ url, headers }: BulkRequest): string {
  const lines = Object.entries({ ...headers, Host: url.host, Connection: 'close' }).map(([name, value]) => {
    validateHeaderValue(name, value);
    return `${name}: ${value}\r\n`;
  });
  return `GET ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

function parseHead(text: string): Pick<BulkResponse, 'status' | 'headers'> {
  const [first = '', ...lines] = text.split('\r\n');
  const fields = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1] ?? 0), headers: Object.fromEntries(fields) };
}

/** A body of known length. A chunk holds its bytes only until the next is asked for. */
class BulkBody implements AsyncIterable<Buffer> {
  readonly #reader: SocketReader;
  readonly #first: Buffer;
  readonly #length: number;

  constructor(reader: SocketReader, first: Buffer, length: number) {
    this.#reader = reader;
    this.#first = first;
    this.#length = length;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    try {
      for (let left = this.#length, chunk = this.#first; left > 0; chunk = await this.#reader.read()) {
        const part = chunk.subarray(0, left);
        left -= part.length;
        if (part.length > 0) yield part;
        if (left === 0) return;
      }
    } finally {
      this.#reader.close();
    }
  }

  /** For those who do not want it. */
  resume(): void {
    this.#reader.close();
  }
}

/** Reads a socket by and by: nothing is read before it is asked for, so that the buffer can be used again. */
class SocketReader {
  readonly #socket: Socket;
  #arrived: Buffer | undefined;
  #failure: Error | undefined;
  #waiting: PromiseWithResolvers<Buffer> | undefined;

  constructor(connect: (onread: OnReadOpts) => Socket, { timeout, onTimeout }: BulkRequest) {
    const buffer = Buffer.allocUnsafeSlow(bufferSize);
    this.#socket = connect({ buffer, callback: (length) => this.#take(buffer.subarray(0, length)) });
    this.#socket
      .setNoDelay()
      .setTimeout(timeout, () => {
        if (this.#waiting === undefined && !this.#socket.connecting) this.#socket.setTimeout(timeout);
        else this.#socket.destroy(onTimeout());
      })
      .on('error', (error) => this.#fail(error))
      .on('close', () => this.#fail(Object.assign(new Error('it was closed too early'), { code: 'ECONNRESET' })));
  }

  /** Writes as soon as the connection stands, with TLS not before the certificate is checked. */
  async write(text: string): Promise<void> {
    await once(this.#socket, 'encrypted' in this.#socket ? 'secureConnect' : 'connect');
    this.#socket.write(text);
  }

  /** The next bytes. @throws what ended the connection */
  read(): Promise<Buffer> {
    const arrived = this.#arrived;
    this.#arrived = undefined;
    if (arrived !== undefined) return Promise.resolve(arrived);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#waiting = Promise.withResolvers();
    this.#socket.resume();
    return this.#waiting.promise;
  }

  close(): undefined {
    this.#socket.destroy();
  }

  /** Stops reading until the bytes have been used. */
  #take(bytes: Buffer): boolean {
    if (this.#waiting === undefined) this.#arrived = bytes;
    this.#waiting?.resolve(bytes);
    this.#waiting = undefined;
    return false;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#waiting?.reject(this.#failure);
    this.#waiting = undefined;
  }
}
