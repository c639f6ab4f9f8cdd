import { once } from 'node:events';
import { createServer } from 'node:http2';
import { accept } from '../src/buildkit/grpc.ts';

/** Stands in for a BuildKit whose builds all end with these trailers. */
export async function startFailingBuildkit(
  path: string,
  trailers: Readonly<Record<string, string>>,
): Promise<{ readonly host: string; stop(): void }> {
  const server = createServer();
  server.on('stream', (stream, headers) => {
    const method = headers[':path']?.split('/').at(-1);
    // A call that is given up is reset.
    stream.on('error', () => undefined);
    accept(stream);
    stream.on('wantTrailers', () => stream.sendTrailers(method === 'Solve' ? trailers : { 'grpc-status': '0' }));
    if (method !== 'Session') stream.end();
  });
  server.listen(path);
  await once(server, 'listening');
  return { host: `unix://${path}`, stop: () => void server.close() };
}
