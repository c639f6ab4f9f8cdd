import { createHash, randomUUID } from 'node:crypto';
import { type ClientHttp2Session, createServer, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import type { ByteName, DirectoryNode } from '@nx-kraft/archive';
import type { Credentials } from '../dockerfile/job.ts';
import { BytesReader } from './bytes-reader.ts';
import { type Connection, windowSize } from './dial.ts';
import { serveFiles } from './file-sync.ts';
import { accept, call, finish, frame, GrpcError, MessageReader } from './grpc.ts';
import { Metadata } from './metadata.ts';
import { bytesOf, decode, encode, textOf } from './protobuf.ts';
import { SpentBuffers } from './spent-buffers.ts';

/** What BuildKit may ask of us while it builds. */
export interface SessionServices {
  /** Directories by the name under which the build asks for them, such as `context`. */
  readonly directories: ReadonlyMap<string, DirectoryNode>;
  /** Called with each file that BuildKit gets to see. */
  readonly onFile: (directory: string, name: ByteName) => void;
  /** The result arrives, as a tar archive. */
  readonly onTar: (chunk: Buffer) => void;
  /** Log-in for a registry; undefined for none. */
  readonly credentials: (host: string) => Promise<Credentials | undefined>;
  /** Values of `--secret`, by id. */
  readonly secrets: ReadonlyMap<string, () => Buffer>;
  /** Sockets of SSH agents, by id. */
  readonly sshAgents: ReadonlyMap<string, string>;
  /** Stays the same for the same context, so that BuildKit finds its copy again. */
  readonly sharedKey: string;
}

export interface BuildSession {
  readonly id: string;
  /** Rejects with what one of our services threw. */
  readonly failure: Promise<never>;
  close(): void;
}

const methods = {
  diffCopy: '/moby.filesync.v1.FileSync/DiffCopy',
  send: '/moby.filesync.v1.FileSend/DiffCopy',
  credentials: '/moby.filesync.v1.Auth/Credentials',
  secret: '/moby.buildkit.secrets.v1.Secrets/GetSecret',
  checkAgent: '/moby.sshforward.v1.SSH/CheckAgent',
  forwardAgent: '/moby.sshforward.v1.SSH/ForwardAgent',
  health: '/grpc.health.v1.Health/Check',
} as const;

/** gRPC's code for what is not there. */
const notFound = 5;

/**
 * Opens a session with BuildKit: a call through which it makes calls to us, over a second HTTP/2 connection on which we
 * are the server (github.com/moby/buildkit, session/).
 */
export async function openSession(connection: Connection, services: SessionServices): Promise<BuildSession> {
  const id = randomUUID();
  const headers = {
    'x-docker-expose-session-uuid': id,
    'x-docker-expose-session-name': 'nx-kraft',
    'x-docker-expose-session-sharedkey': createHash('sha256').update(services.sharedKey).digest('hex'),
    'x-docker-expose-session-grpc-method': Object.values(methods),
  };
  const tunnel = await (connection.openTunnel?.(headers) ?? tunnelThroughCall(connection.session, headers));
  // What runs through it fails with its own errors.
  tunnel.on('error', () => undefined);
  const server = createServer({ settings: { initialWindowSize: windowSize } });
  const failure = new Promise<never>((_, reject) => {
    server.on('stream', (stream, headers, _, raw) => {
      // A build that was given up resets its calls; the build itself tells why.
      stream.on('error', () => undefined);
      try {
        serve(stream, new Metadata(headers[':path'] ?? '', raw), services, reject);
      } catch (error) {
        finish(stream, asGrpcError(error));
      }
    });
  });
  // Whoever waits for the build hears of it; without a build there is nobody to tell.
  failure.catch(() => undefined);
  server.on('session', (session) => {
    session.setLocalWindowSize(windowSize);
    session.on('error', () => undefined);
  });
  server.emit('connection', tunnel);
  const close = (): void => {
    tunnel.destroy();
    server.close();
  };
  return { id, failure, close };
}

/** The bytes of the inner connection, each chunk in a BytesMessage{1 data}. */
function tunnelThroughCall(session: ClientHttp2Session, headers: OutgoingHttpHeaders): Duplex {
  const outer = call(session, '/moby.buildkit.v1.Control/Session', headers);
  const tunnel = new Duplex({
    read: () => outer.resume(),
    write: (chunk: Buffer, _, done) => outer.write(frame(encode([[1, chunk]])), done),
    final: (done) => outer.end(done),
    destroy: (error, done) => {
      outer.destroy();
      done(error);
    },
  });
  const reader = new BytesReader((piece) => {
    if (!tunnel.push(piece)) outer.pause();
  });
  outer.on('data', (chunk: Buffer) => {
    try {
      reader.push(chunk);
    } catch (error) {
      tunnel.destroy(asGrpcError(error));
    }
  });
  outer.on('end', () => tunnel.push(null));
  outer.on('error', () => tunnel.destroy());
  return tunnel;
}

function serve(
  stream: ServerHttp2Stream,
  metadata: Metadata,
  services: SessionServices,
  fail: (error: unknown) => void,
): void {
  switch (metadata.path) {
    case methods.diffCopy:
      serveDirectory(stream, metadata, services);
      break;
    case methods.send:
      receive(stream, services.onTar, fail);
      break;
    case methods.credentials:
      answer(stream, async (message) => {
        const found = await services.credentials(textOf(decode(message), 1));
        return encode([
          [1, found?.username],
          [2, found?.secret],
        ]);
      });
      break;
    case methods.secret:
      answer(stream, (message) => encode([[1, secretOf(services, textOf(decode(message), 1))]]));
      break;
    case methods.checkAgent:
      answer(stream, (message) => checkAgent(services, textOf(decode(message), 1)));
      break;
    case methods.forwardAgent:
      forwardAgent(stream, metadata, services);
      break;
    case methods.health:
      // HealthCheckResponse{1 status}, 1 is SERVING.
      answer(stream, () => encode([[1, 1]]));
      break;
    default:
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12' }, { endStream: true });
  }
}

function serveDirectory(stream: ServerHttp2Stream, metadata: Metadata, services: SessionServices): void {
  const [name = ''] = metadata.values('dir-name');
  const root = services.directories.get(name);
  if (root === undefined) {
    accept(stream);
    throw new GrpcError(notFound, `there is no directory ${name}`);
  }
  // Ignore files were followed before: asked for one, we show a context without.
  const asked = metadata.values('include-patterns');
  const follow = asked.length > 0 ? asked : metadata.values('followpaths');
  serveFiles(stream, root, follow, (file) => services.onFile(name, file));
}

function receive(stream: ServerHttp2Stream, onTar: (chunk: Buffer) => void, fail: (error: unknown) => void): void {
  accept(stream);
  let failed = false;
  const reader = new BytesReader((piece) => {
    if (!failed) onTar(piece);
  });
  const spent = new SpentBuffers();
  stream.on('data', (chunk: Buffer) => {
    spent.add(chunk.length);
    try {
      reader.push(chunk);
    } catch (error) {
      failed = true;
      fail(error);
      stream.destroy();
    }
  });
  stream.on('end', () => finish(stream));
}

/** A call with one message each way; what `reply` throws is told to the other side. */
function answer(stream: ServerHttp2Stream, reply: (message: Buffer) => Buffer | Promise<Buffer>): void {
  accept(stream);
  const respond = async (message: Buffer): Promise<void> => {
    try {
      stream.write(frame(await reply(message)));
      finish(stream);
    } catch (error) {
      finish(
        stream,
        error instanceof GrpcError ? error : new GrpcError(2, error instanceof Error ? error.message : ''),
      );
    }
  };
  const reader = new MessageReader((message) => void respond(message));
  stream.on('data', (chunk: Buffer) => reader.push(chunk));
}

function asGrpcError(error: unknown): GrpcError {
  return error instanceof GrpcError ? error : new GrpcError(2, error instanceof Error ? error.message : String(error));
}

function secretOf({ secrets }: SessionServices, id: string): Buffer {
  const secret = secrets.get(id);
  if (secret === undefined) throw new GrpcError(notFound, `there is no secret ${id}: give it with --secret`);
  return secret();
}

function checkAgent(services: SessionServices, id: string): Buffer {
  socketOf(services, id);
  return Buffer.alloc(0);
}

function socketOf({ sshAgents }: SessionServices, id: string): string {
  const name = id === '' ? 'default' : id;
  const socket = sshAgents.get(name);
  if (socket === undefined) throw new GrpcError(notFound, `there is no SSH agent ${name}: give it with --ssh ${name}`);
  return socket;
}

function forwardAgent(stream: ServerHttp2Stream, metadata: Metadata, services: SessionServices): void {
  accept(stream);
  const [id = ''] = metadata.values('buildkit.ssh.id');
  const agent = connect(socketOf(services, id));
  const reader = new MessageReader((message) => agent.write(bytesOf(decode(message), 1)));
  stream.on('data', (chunk: Buffer) => reader.push(chunk));
  stream.on('end', () => agent.end());
  agent.on('data', (chunk: Buffer) => stream.write(frame(encode([[1, chunk]]))));
  agent.on('close', () => finish(stream));
  agent.on('error', (error) => finish(stream, new GrpcError(14, error.message)));
}
