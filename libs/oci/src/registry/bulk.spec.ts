import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { HttpClient } from './http.ts';
import { readAll } from './read-all.ts';

const content = randomBytes(3_000_000);
const client = new HttpClient({ timeout: 2000 });
let server: Server;

afterEach(() => {
  client.close();
  server.closeAllConnections();
  server.close();
});

async function serve(answer: RequestListener): Promise<URL> {
  server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return new URL(`http://127.0.0.1:${address.port}/blob?a=b`);
}

const get = (url: URL, headers: Record<string, string> = {}) =>
  client.request({ method: 'GET', url, headers, isLarge: true });
const read = async (url: URL) => readAll((await get(url)).body, content.length, url);

test('a large answer is read in place, byte by byte as it was sent', async () => {
  const seen: string[] = [];
  const url = await serve((request, response) => {
    seen.push(`${request.url} ${request.headers.host} ${request.headers.range}`);
    response.writeHead(200, { 'Content-Length': content.length, 'X-Long': 'x'.repeat(4000) }).end(content);
  });
  const { status, headers, body } = await get(url, { Range: 'bytes=0-' });
  expect([status, headers['x-long']?.length]).toEqual([200, 4000]);
  expect((await readAll(body, content.length, url)).equals(content)).toBe(true);
  expect(seen).toEqual([`/blob?a=b ${url.host} bytes=0-`]);
});

test('answers without a length, and redirects, are read as well', async () => {
  const url = await serve((request, response) => {
    if (request.url?.startsWith('/blob') === true) response.writeHead(307, { Location: '/there' }).end();
    else response.writeHead(200).end(content);
  });
  expect((await read(url)).equals(content)).toBe(true);
});

test('an answer that ends too early is a failed connection, and one that is not wanted is closed', async () => {
  const url = await serve((_, response) => {
    response.writeHead(200, { 'Content-Length': content.length }).write(content.subarray(0, 1_000_000));
    setTimeout(() => response.destroy(), 100);
  });
  await expect(read(url)).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
  const closed = new Promise((done) => server.once('connection', (socket) => socket.once('close', done)));
  (await get(url)).body.resume();
  await closed;
});

test('what is no header is not sent', async () => {
  const url = await serve((_, response) => response.end());
  await expect(get(url, { Authorization: 'Bearer x\r\nHost: other' })).rejects.toThrow('Invalid character');
});
