import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startGuard } from './guard.ts';

/** What the server behind the guard has, and how it answers; tests change both. */
let entries: Map<string, Buffer>;
let answer: (request: IncomingMessage, response: ServerResponse) => Promise<unknown>;
let asked: number;
let server: Server;
let address: string;

beforeEach(async () => {
  entries = new Map();
  asked = 0;
  answer = honest;
  server = createServer((request, response) => {
    asked += 1;
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function honest(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const hash = request.url ?? '';
  if (request.method === 'PUT') {
    entries.set(hash, await buffer(request));
    return void response.writeHead(200).end();
  }
  const entry = entries.get(hash);
  response.writeHead(entry === undefined ? 404 : 200).end(entry);
}

function guard(options: { secret?: string; timeout?: number; server?: string } = {}): Promise<string> {
  return startGuard({ server: address, secret: '', timeout: 5000, onStop: () => undefined, ...options });
}

async function put(at: string, hash: string, body: string): Promise<number> {
  return (await fetch(`${at}/v1/cache/${hash}`, { method: 'PUT', body })).status;
}

async function get(at: string, hash: string): Promise<string | number> {
  const response = await fetch(`${at}/v1/cache/${hash}`);
  return response.ok ? response.text() : response.status;
}

/** What the guard tells at its end. */
async function troubles(at: string): Promise<unknown> {
  return (await fetch(at, { method: 'DELETE' })).json();
}

test('entries go out and come in as they are, large ones too', async () => {
  const at = await guard();
  const large = 'entry '.repeat(500_000);
  expect(await put(at, '1', large)).toBe(200);
  expect(await get(at, '1')).toBe(large);
  expect(await get(at, '2')).toBe(404);
  expect(await troubles(at)).toEqual([]);
});

test.each([
  ['damaged', () => entries.set('/v1/cache/1', (entries.get('/v1/cache/1') ?? Buffer.of()).fill(0, 2, 3))],
  ['cut short', () => entries.set('/v1/cache/1', (entries.get('/v1/cache/1') ?? Buffer.of()).subarray(0, -1))],
  ['empty', () => entries.set('/v1/cache/1', Buffer.of())],
  ['another task’s', () => entries.set('/v1/cache/1', entries.get('/v1/cache/2') ?? Buffer.of())],
  ['not sealed', () => entries.set('/v1/cache/1', Buffer.from('an entry that came by another way'.repeat(9)))],
])('an entry that is %s is none', async (_name, spoil) => {
  const at = await guard();
  await put(at, '1', 'entry of one');
  await put(at, '2', 'entry of another');
  spoil();
  expect(await get(at, '1')).toBe(404);
  expect(await troubles(at)).toEqual([expect.stringContaining('entry 1 is damaged')]);
});

test('with a secret only entries of those who know it count', async () => {
  await put(await guard({ secret: 'other' }), '1', 'entry');
  const at = await guard({ secret: 'ours' });
  expect(await get(at, '1')).toBe(404);
  await put(at, '1', 'entry');
  expect(await get(at, '1')).toBe('entry');
});

test('a server that is down is a cache without entries', async () => {
  const at = await guard({ server: 'http://127.0.0.1:9' });
  expect(await get(at, '1')).toBe(404);
  expect(await put(at, '1', 'entry')).toBe(200);
  expect(await troubles(at)).not.toEqual([]);
});

test('a server that fails is asked twice and then no more, which is told once', async () => {
  answer = (_request, response) => Promise.resolve(response.writeHead(500).end());
  const at = await guard();
  for (let hash = 1; hash < 6; hash++) expect(await get(at, String(hash))).toBe(404);
  expect(asked).toBe(2);
  expect(await troubles(at)).toEqual([expect.stringContaining('it answered 500')]);
});

test('a server that says nothing, or stops in the middle, is waited for no longer than the timeout', async () => {
  answer = () => new Promise(() => undefined);
  const at = await guard({ timeout: 100 });
  expect(await get(at, '1')).toBe(404);
  answer = (_request, response) => {
    response.writeHead(200).write('the beginning');
    return new Promise(() => undefined);
  };
  expect(await get(at, '1')).toBe(404);
  expect(await troubles(at)).toEqual([expect.stringContaining('it said nothing for 0.1 s')]);
});

test.each([403, 409])('a server that refuses to keep an entry with %i is in order', async (status) => {
  answer = (request, response) => Promise.resolve(request.resume() && response.writeHead(status).end());
  const at = await guard();
  expect(await put(at, '1', 'entry')).toBe(200);
  expect(await troubles(at)).toEqual([]);
});
