import { once } from 'node:events';
import { connect, createServer, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { emptyDirectory, type FileNode } from '@nx-kraft/archive';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { serveFiles } from './file-sync.ts';
import { call, frame, MessageReader } from './grpc.ts';
import { bytesOf, decode, encode, numberOf } from './protobuf.ts';

const file = (bytes: Buffer): FileNode => ({
  kind: 'file',
  meta: { mode: 0o644, uid: 0, gid: 0 },
  size: bytes.length,
  content: { bytes },
});
// Of a size with which the end of each makes the server wait until it is sent.
const contents = ['a', 'b', 'c'].map((letter) => Buffer.alloc(65_530, letter));

let server: Http2Server;
beforeEach(async () => {
  const root = emptyDirectory();
  contents.forEach((bytes, index) => root.children.set(`file-${index}`, file(bytes)));
  server = createServer();
  server.on('stream', (stream) => serveFiles(stream, root, [], () => undefined));
  await once(server.listen(0, 'localhost'), 'listening');
});
afterEach(() => server.close());

test('a file that is asked for while the end of all others is under way comes, too', async () => {
  // So little room that the server waits for us.
  const { port } = server.address() as AddressInfo;
  const session = connect(`http://localhost:${port}`, { settings: { initialWindowSize: 1000 } });
  const stream = call(session, '/DiffCopy');
  const send = (fields: Parameters<typeof encode>[0]): void => void stream.write(frame(encode(fields)));
  const ask = (id: number): void => send([...request, [3, id]]);
  const received = contents.map(() => Buffer.alloc(0));
  const ended = Promise.withResolvers<void>();
  const reader = new MessageReader((message) => {
    const packet = decode(message);
    const [type, id, data] = [numberOf(packet, 1), numberOf(packet, 3), bytesOf(packet, 4)];
    if (type === 3) ended.resolve();
    if (type !== 2) return;
    received[id] = Buffer.concat([received[id] ?? Buffer.alloc(0), data]);
    if (id === contents.length - 1 && data.length === 0) send([[1, 3]]);
  });
  let asked = 0;
  let awaited = 0;
  stream.on('data', (chunk: Buffer) => {
    reader.push(chunk);
    awaited -= chunk.length;
    if (awaited > 2000 || asked === contents.length) return;
    awaited += contents[asked]?.length ?? 0;
    ask(asked++);
  });
  await ended.promise;
  expect(received).toEqual(contents);
  session.destroy();
});

const request: Parameters<typeof encode>[0] = [[1, 1]];
