import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

type Entry = Parameters<ReturnType<typeof pack>['entry']>[0] & { readonly content?: string };

/** Makes a tar file, gzipped. */
export async function makeArchive(entries: readonly Entry[]): Promise<Buffer> {
  return gzipSync(await makeTar(entries));
}

/** Makes a tar file. */
export async function makeTar(entries: readonly Entry[]): Promise<Buffer> {
  const archive = pack();
  for (const { content = '', ...header } of entries) archive.entry({ size: content.length, ...header }, content);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex');

/** A server of a test: what it has by path, and what it was asked. */
export interface FileServer {
  readonly url: string;
  readonly files: Map<string, Buffer | string | number>;
  readonly requests: { readonly path: string; readonly headers: IncomingMessage['headers']; status: number }[];
  /** Lets the next answer with a file stop in its middle, for ever; done when these bytes of it have been sent. */
  readonly stallAfter: (path: string, bytes: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Serves files, with entity tags; a number instead of a file is a status to answer with. */
export async function serveFiles(): Promise<FileServer> {
  const files: FileServer['files'] = new Map();
  const requests: FileServer['requests'] = [];
  const stalls = new Map<string, { readonly bytes: number; readonly done: () => void }>();
  const server: Server = createServer((request, response) => {
    const path = request.url ?? '';
    const file = files.get(path) ?? 404;
    const etag = typeof file === 'number' ? '' : `"${sha256(Buffer.from(file)).slice(0, 8)}"`;
    const status = typeof file === 'number' ? file : request.headers['if-none-match'] === etag ? 304 : 200;
    requests.push({ path, headers: request.headers, status });
    response.writeHead(status, { etag });
    const stall = stalls.get(path);
    if (stall !== undefined && typeof file !== 'number') {
      stalls.delete(path);
      response.write(file.slice(0, stall.bytes), stall.done);
      return;
    }
    response.end(status === 200 ? file : undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  const stallAfter = (path: string, bytes: number): Promise<void> =>
    new Promise((done) => stalls.set(path, { bytes, done }));
  return { url: `http://127.0.0.1:${port}`, files, requests, stallAfter, close };
}
