import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CacheServer, startCacheServer } from './server.ts';

const tokens = { read: 'reader', write: 'writer', branch: 'visitor' };
let folder: string;
let server: CacheServer;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cache-server-'));
  server = await startCacheServer({ folder, tokens });
});
afterEach(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

async function put(token: string, hash: string, body: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`${server.url}/v1/cache/${hash}`, { method: 'PUT', body, headers })).status;
}

async function get(token: string, hash: string): Promise<string | number> {
  const response = await fetch(`${server.url}/v1/cache/${hash}`, { headers: { authorization: `Bearer ${token}` } });
  return response.ok ? response.text() : response.status;
}

test('an entry is kept, read with each token, and never written again', async () => {
  expect(await put('writer', '17', 'first')).toBe(200);
  expect(await put('writer', '17', 'second')).toBe(409);
  for (const token of Object.values(tokens)) expect(await get(token, '17')).toBe('first');
  expect(await get('reader', '18')).toBe(404);
  expect(await readdir(join(folder, 'trusted'))).toEqual(['17']);
});

test('a token that may only read writes nothing, and one that is not known reads nothing', async () => {
  expect(await put('reader', '17', 'x')).toBe(403);
  for (const token of ['', 'other', 'undefined']) {
    expect(await put(token, '17', 'x')).toBe(401);
    expect(await get(token, '17')).toBe(401);
  }
  expect(await readdir(join(folder, 'trusted'))).toEqual([]);
});

test('what a branch writes is read by branches alone, and trusted entries go first', async () => {
  expect(await put('visitor', '17', 'poison')).toBe(200);
  expect(await get('visitor', '17')).toBe('poison');
  expect(await get('reader', '17')).toBe(404);
  expect(await get('writer', '17')).toBe(404);
  expect(await put('writer', '17', 'good')).toBe(200);
  expect(await get('visitor', '17')).toBe('good');
});

test('keys are no paths', async () => {
  expect(await put('writer', '..%2f17', 'x')).toBe(404);
  expect(await put('writer', '../17', 'x')).toBe(404);
});
