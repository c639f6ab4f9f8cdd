import { once } from 'node:events';
import { constants, createServer, type ServerHttp2Stream } from 'node:http2';
import { createServer as createSocketServer, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { accept, frame } from '../src/buildkit/grpc.ts';

export interface FailingBuildkit {
  readonly host: string;
  stop(): void;
}

export interface Failure {
  /** What all builds end with. */
  readonly trailers: Readonly<Record<string, string>>;
  /** The answers of calls by the last part of their paths; all others say nothing. */
  readonly answers?: Readonly<Record<string, Buffer>>;
  /** Whether it sends trailers that are larger than its client says it takes. */
  readonly isReckless?: boolean;
}

/** Stands in for a BuildKit whose builds fail. Trailers that a client does not take reset the call, as Go's gRPC does it. */
export async function startFailingBuildkit(path: string, failure: Failure): Promise<FailingBuildkit> {
  const { trailers, answers = {}, isReckless = false } = failure;
  const size = Object.entries(trailers).reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);
  const http2 = createServer();
  const sockets = createSocketServer((socket) => {
    const connection = throughHere(socket);
    http2.once('session', (session) => {
      session.on('error', () => undefined);
      session.on('stream', (stream, headers) => {
        const method = headers[':path']?.split('/').at(-1) ?? '';
        // A call that is given up is reset.
        stream.on('error', () => undefined);
        accept(stream);
        const answer = answers[method];
        if (answer !== undefined) stream.write(frame(answer));
        stream.on('wantTrailers', () => {
          const most = session.remoteSettings.maxHeaderListSize ?? Infinity;
          if (method !== 'Solve')
            stream.sendTrailers({ 'grpc-status': answer === undefined && method.startsWith('Listen') ? '12' : '0' });
          else if (isReckless) sendAnyhow(socket, stream, trailers);
          else if (size > most) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
          else stream.sendTrailers(trailers);
        });
        if (method !== 'Session') stream.end();
      });
    });
    http2.emit('connection', connection);
  });
  sockets.listen(path);
  await once(sockets, 'listening');
  return { host: `unix://${path}`, stop: () => void sockets.close() };
}

/** A connection beside which frames can be written that Node's own HTTP/2 would not. */
function throughHere(socket: Socket): Duplex {
  const duplex = new Duplex({
    read: () => socket.resume(),
    write: (chunk: Buffer, _encoding, done) => void socket.write(chunk, () => done()),
    final: (done) => void socket.end(done),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (chunk) => {
    if (!duplex.push(chunk)) socket.pause();
  });
  socket.on('end', () => duplex.push(null));
  socket.on('error', () => duplex.destroy());
  return duplex;
}

const largestFrame = 16384;

function sendAnyhow(socket: Socket, stream: ServerHttp2Stream, trailers: Readonly<Record<string, string>>): void {
  const block = Buffer.concat(
    Object.entries(trailers).map(([name, value]) => Buffer.concat([Buffer.of(0), literal(name), literal(value)])),
  );
  const frames: Buffer[] = [];
  for (let at = 0; at < block.length; at += largestFrame) {
    const piece = block.subarray(at, at + largestFrame);
    const isLast = at + largestFrame >= block.length;
    const head = Buffer.alloc(9);
    head.writeUIntBE(piece.length, 0, 3);
    head[3] = at === 0 ? 1 : 9;
    head[4] = (at === 0 ? 1 : 0) + (isLast ? 4 : 0);
    head.writeUInt32BE(stream.id ?? 0, 5);
    frames.push(head, piece);
  }
  // After what the other side of this connection has yet to write.
  setImmediate(() => socket.write(Buffer.concat(frames)));
}

/** A text of HPACK's, not compressed. */
function literal(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length < 127) return Buffer.concat([Buffer.of(bytes.length), bytes]);
  const head = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) head.push((rest % 128) + 128);
  return Buffer.concat([Buffer.from([...head, rest]), bytes]);
}
