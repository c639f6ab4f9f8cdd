import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { pipeline, Transform } from 'node:stream';

/** What happens to one request; nothing: it goes through. */
export type Mishap =
  /** Answer with this instead. */
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  /** Break the connection after so many bytes of the answer. */
  | { readonly cutAfter: number }
  /** Break the connection after so many bytes of the request. */
  | { readonly cutUploadAfter: number }
  /** End the answer properly, but after so many bytes. */
  | { readonly endAfter: number }
  /** Send so many bytes of the answer, then nothing more. */
  | { readonly hangAfter: number }
  /** Change this byte of the answer. */
  | { readonly damage: number };

export interface FaultProxy {
  readonly host: string;
  /** Every request so far: `GET /v2/app/blobs/sha256:… bytes=10-`. */
  readonly log: readonly string[];
  stop(): Promise<void>;
}

/** A server before a registry that lets a test make requests go wrong. */
export async function startFaultProxy(
  registry: string,
  mishapOf: (request: IncomingMessage, line: string) => Mishap | undefined,
): Promise<FaultProxy> {
  const log: string[] = [];
  const server = createServer((incoming, outgoing) => {
    const line = [incoming.method, incoming.url, incoming.headers.range].filter(Boolean).join(' ');
    log.push(line);
    const mishap = mishapOf(incoming, line);
    if (mishap !== undefined && 'status' in mishap) {
      incoming.resume();
      outgoing.writeHead(mishap.status, mishap.headers).end(mishap.body);
    } else {
      forward(registry, incoming, outgoing, mishap ?? {});
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    host: `127.0.0.1:${address.port}`,
    log,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

type Passing = Partial<Record<'cutAfter' | 'cutUploadAfter' | 'endAfter' | 'hangAfter' | 'damage', number>>;

function forward(registry: string, incoming: IncomingMessage, outgoing: ServerResponse, mishap: Passing): void {
  const [hostname, port] = registry.split(':');
  const { method, url, headers } = incoming;
  // The host stays as it came, so that the registry's redirects come back through here.
  const upstream = request({ hostname, port, method, path: url, headers }, (answer) => {
    // Who asked may be gone by now.
    if (outgoing.destroyed) {
      answer.destroy();
      return;
    }
    const { endAfter } = mishap;
    const length = endAfter === undefined ? {} : { 'content-length': String(endAfter) };
    outgoing.writeHead(answer.statusCode ?? 500, { ...answer.headers, ...length });
    pipeline(
      answer,
      spoiled(mishap, () => outgoing.destroy()),
      outgoing,
      () => undefined,
    );
  });
  upstream.on('error', () => outgoing.destroy());
  const cutUpload = mishap.cutUploadAfter === undefined ? {} : { cutAfter: mishap.cutUploadAfter };
  pipeline(
    incoming,
    spoiled(cutUpload, () => incoming.destroy()),
    upstream,
    () => undefined,
  );
}

function spoiled({ cutAfter, endAfter, hangAfter, damage }: Passing, cut: () => void): Transform {
  let position = 0;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      const start = position;
      position += chunk.length;
      const limit = cutAfter ?? endAfter ?? hangAfter ?? Infinity;
      if (damage !== undefined && damage >= start && damage < position)
        chunk.writeUInt8(chunk.readUInt8(damage - start) ^ 1, damage - start);
      const part = chunk.subarray(0, Math.max(0, limit - start));
      if (part.length > 0) this.push(part);
      if (position <= limit || endAfter !== undefined) return done();
      // A hanging answer never gets to its end: nothing more is taken.
      if (cutAfter !== undefined) setTimeout(cut, 20);
    },
  });
}
