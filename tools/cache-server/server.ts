// Nx's self-hosted remote cache over HTTP, on a folder: https://nx.dev/docs/guides/tasks--caching/self-hosted-caching
import { createHash, timingSafeEqual } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { link, mkdir, rm, stat } from 'node:fs/promises';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** Who may do what. A token that is absent lets nobody in. */
export interface Tokens {
  /** Reads what trusted builds have written. */
  readonly read?: string | undefined;
  /** Reads and writes the same: for builds of protected branches. */
  readonly write?: string | undefined;
  /** Reads that, too, but writes to a place that only this token reads: for builds of branches that nobody has reviewed. */
  readonly branch?: string | undefined;
}

export interface CacheServerOptions {
  /** Where the entries lie; made when it is not there. */
  readonly folder: string;
  readonly tokens: Tokens;
  /** Default: any free port. */
  readonly port?: number;
  /** Default: this machine alone. */
  readonly host?: string;
  /** Called for each request that has been answered. */
  readonly onRequest?: (line: string) => void;
}

export interface CacheServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts the server. An entry is written once and never again: later ones of the same key are refused. */
export async function startCacheServer(options: CacheServerOptions): Promise<CacheServer> {
  for (const area of ['trusted', 'branches']) await mkdir(join(options.folder, area), { recursive: true });
  const server = createServer((request, response) => {
    answer(options, request, response).then(
      () => options.onRequest?.(`${request.method} ${request.url} ${response.statusCode}`),
      () => {
        // Either side broke off; an entry that is not whole has been thrown away.
        response.destroy();
      },
    );
  });
  await listen(server, options.port ?? 0, options.host ?? '127.0.0.1');
  const { address, port } = server.address() as AddressInfo;
  const stop = (): Promise<void> =>
    new Promise((done) => {
      server.close(() => done());
      server.closeAllConnections();
    });
  return { url: `http://${address}:${port}`, stop };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', fail).listen(port, host, done);
  });
}

type Role = keyof Tokens;

async function answer(options: CacheServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const role = roleOf(options.tokens, request.headers.authorization);
  if (role === undefined) return refuse(response, 401, 'This token is not known here.');
  const hash = /^\/v1\/cache\/([A-Za-z0-9_-]{1,128})$/.exec(request.url ?? '')?.[1];
  if (hash === undefined) return refuse(response, 404, 'There is only /v1/cache/HASH.');
  if (request.method === 'GET') return give(options.folder, role, hash, response);
  if (request.method !== 'PUT') return refuse(response, 405, 'Only GET and PUT.');
  if (role === 'read') return refuse(response, 403, 'This token may only read.');
  return take(options.folder, role, hash, request, response);
}

function roleOf(tokens: Tokens, authorization = ''): Role | undefined {
  const given = digest(authorization.replace(/^Bearer /, ''));
  return (['read', 'write', 'branch'] as const).find((role) => {
    const token = tokens[role];
    return token !== undefined && token !== '' && timingSafeEqual(digest(token), given);
  });
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function refuse(response: ServerResponse, status: number, message: string): Promise<void> {
  return new Promise((done) => {
    response.writeHead(status, { 'content-type': 'text/plain' }).end(message, done);
  });
}

async function give(folder: string, role: Role, hash: string, response: ServerResponse): Promise<void> {
  for (const area of role === 'branch' ? ['trusted', 'branches'] : ['trusted']) {
    const file = join(folder, area, hash);
    const stats = await stat(file).catch(() => undefined);
    if (stats === undefined) continue;
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': stats.size });
    return pipeline(createReadStream(file), response);
  }
  return refuse(response, 404, 'There is no such entry.');
}

/** Writes beside, then links: an entry is there whole, and once. */
async function take(
  folder: string,
  role: Role,
  hash: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const file = join(folder, role === 'write' ? 'trusted' : 'branches', hash);
  const temporary = `${file}.${process.pid}.${(uploads += 1)}.tmp`;
  try {
    await pipeline(request, createWriteStream(temporary));
    const isNew = await link(temporary, file).then(
      () => true,
      () => false,
    );
    return await (isNew ? refuse(response, 200, 'Kept.') : refuse(response, 409, 'This entry is there already.'));
  } finally {
    await rm(temporary, { force: true });
  }
}

let uploads = 0;
