// Volumes that are imported and tunnels, through the API's stand-in. The instances that do the work in the cloud have
// stand-ins of their own here, on loopback and without TLS: they follow the documents, and have never seen the real ones.
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CpioWriter, createFile } from '@nx-kraft/archive';
import { Cloud, findToken, importVolume, openTunnel, parseForward } from '@nx-kraft/cloud';
import { type StandIn, standInToken, startStandIn } from './server.ts';

const importer = 'official/utils/volimport:latest';
const tunneler = 'official/utils/tunnel:latest';

let standIn: StandIn;
let cloud: Cloud;
let folder: string;
const servers: Server[] = [];

beforeEach(async () => {
  standIn = await startStandIn({ images: [importer, tunneler, 'web'] });
  cloud = new Cloud(
    { name: 'stand-in', url: standIn.url, selection: 'query' },
    await findToken({ UKC_TOKEN: standInToken }),
  );
  folder = await mkdtemp(join(tmpdir(), 'cloud-helpers-'));
});
afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await standIn.close();
  await rm(folder, { recursive: true });
});

async function serve(onConnection: (socket: Socket) => Promise<void>): Promise<number> {
  const server = createServer((socket) => {
    onConnection(socket).catch(() => socket.destroy());
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Reads a socket by amounts. */
class Reading {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  async next(length: number): Promise<Buffer> {
    for (;;) {
      const bytes = this.#socket.read(length) as Buffer | null;
      if (bytes !== null) return bytes;
      if (this.#socket.readableEnded) throw new Error('the end');
      await Promise.race([once(this.#socket, 'readable'), once(this.#socket, 'end')]);
    }
  }
}

function reply(status: number, content: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(8);
  header.writeInt32LE(status, 0);
  header.writeUInt32LE(content.length, 4);
  return Buffer.concat([header, content]);
}

function room(free: number, total: number): Buffer {
  const content = Buffer.alloc(24);
  for (const [index, value] of [free, total, 255].entries()) content.writeBigUInt64LE(BigInt(value), index * 8);
  return reply(2, content);
}

/** The arguments of the instance that was created last. */
function helperArgs(): readonly string[] {
  const created = standIn.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/instances'));
  return (created.at(-1)?.body as { args: string[] }).args;
}

describe('volumes are imported', () => {
  const arrived = new Map<string, string>();
  let wasTold: boolean;
  beforeEach(() => {
    arrived.clear();
    wasTold = false;
  });

  function archiveOf(files: Readonly<Record<string, string>>): string {
    const path = join(folder, 'files.cpio');
    createFile(path, (output) => {
      const writer = new CpioWriter(output, 0);
      for (const [name, content] of Object.entries(files)) {
        writer.file(name, { mode: 0o644, uid: 0, gid: 0 }, Buffer.byteLength(content));
        output.bytes(Buffer.from(content));
        writer.endFile();
      }
      writer.finish();
    });
    return path;
  }

  async function volimport(socket: Socket, { free = 1 << 20, failAt }: { free?: number; failAt?: string } = {}) {
    const reading = new Reading(socket);
    const secret = (await reading.next(32)).toString();
    expect(helperArgs()).toEqual(['-p', '42069', '-a', secret, '-t', '10']);
    socket.write(room(free, 2 << 20));
    for (;;) {
      const header = (await reading.next(110)).toString('latin1');
      const name = (await reading.next(parseInt(header.slice(94, 102), 16))).toString();
      if (name === `${failAt ?? ''}\0`) {
        socket.write(reply(-1, Buffer.from('no space left\0')));
        socket.end(reply(0));
        return;
      }
      if (name === 'TRAILER!!!\0') break;
      const size = parseInt(header.slice(54, 62), 16);
      arrived.set(name.slice(0, -1), size === 0 ? '' : (await reading.next(size)).toString());
      socket.write(reply(1));
    }
    socket.write(room(free - 1000, 2 << 20));
    wasTold = (await reading.next(32)).toString() === secret;
    socket.end();
  }

  test('files arrive on the volume, and the instance goes', async () => {
    await cloud.volumes.create(2, 'data');
    const port = await serve((socket) => volimport(socket));
    const archive = archiveOf({ a: 'one', b: 'x'.repeat(10_001), empty: '' });
    const progress: number[] = [];
    const left = await importVolume(cloud, 'data', archive, {
      connect: () => connect(port),
      onProgress: (sent) => progress.push(sent),
    });
    expect(left).toEqual({ free: BigInt((1 << 20) - 1000), total: BigInt(2 << 20) });
    expect(Object.fromEntries(arrived)).toEqual({ './a': 'one', './b': 'x'.repeat(10_001), './empty': '' });
    expect(progress.at(-1)).toBeGreaterThan(10_001);
    await expect.poll(() => wasTold).toBe(true);
    expect(await cloud.instances.list()).toEqual([]);
  });

  test('what the instance says of a failure is told, and it goes', async () => {
    await cloud.volumes.create(2, 'data');
    const port = await serve((socket) => volimport(socket, { failAt: './b' }));
    const archive = archiveOf({ a: 'one', b: 'two' });
    await expect(importVolume(cloud, 'data', archive, { connect: () => connect(port) })).rejects.toThrow(
      'no space left',
    );
    expect(await cloud.instances.list()).toEqual([]);
  });

  test('a volume without room for it is told before anything is sent', async () => {
    await cloud.volumes.create(1, 'small');
    const big = join(folder, 'big.cpio');
    await writeFile(big, Buffer.alloc(1 << 20));
    await expect(importVolume(cloud, 'small', big)).rejects.toThrow('room for 1048576 bytes');
    expect(await cloud.instances.list()).toEqual([]);
    const port = await serve((socket) => volimport(socket, { free: 10 }));
    const archive = archiveOf({ a: 'one' });
    await expect(importVolume(cloud, 'small', archive, { connect: () => connect(port) })).rejects.toThrow(
      'room for 10 bytes',
    );
    expect(await cloud.instances.list()).toEqual([]);
  });

  test('Ctrl-C in the middle leaves no instance', async () => {
    await cloud.volumes.create(2, 'data');
    const stop = new AbortController();
    const port = await serve(() => {
      stop.abort();
      return Promise.resolve();
    });
    const archive = archiveOf({ a: 'one' });
    const importing = importVolume(cloud, 'data', archive, { connect: () => connect(port), signal: stop.signal });
    await expect(importing).rejects.toMatchObject({ code: 'CLOUD_STOPPED' });
    expect(await cloud.instances.list()).toEqual([]);
  });
});

describe('tunnels', () => {
  test('forwards are read as kraft has them', () => {
    expect(parseForward('web:8080')).toEqual({ local: 8080, target: 'web', port: 8080 });
    expect(parseForward('8333:web:80/tcp')).toEqual({ local: 8333, target: 'web', port: 80 });
    expect(parseForward('172.16.0.2:5432')).toEqual({ local: 5432, target: '172.16.0.2', port: 5432 });
    for (const wrong of ['80', '80:80', 'web', 'web:0', 'web:99999', 'a:web:80', '']) {
      expect(() => parseForward(wrong), wrong).toThrow('cannot be forwarded');
    }
    expect(() => parseForward('web:53/udp')).toThrow('TCP only');
  });

  test('connections reach the instance, and the helper goes at the end', async () => {
    await cloud.instances.create({ name: 'web', image: 'web', autostart: true });
    const beats: string[] = [];
    const control = await serve(async (socket) => {
      beats.push((await new Reading(socket).next(32 + 9)).subarray(32).toString());
    });
    let places = 1;
    const proxy = await serve(async (socket) => {
      const reading = new Reading(socket);
      await reading.next(32);
      socket.write(Buffer.from([places--, 0]));
      const question = await reading.next(5);
      socket.end(`echo ${question.toString()}`);
    });
    const local = await freePort();
    const stop = new AbortController();
    const problems: string[] = [];
    const opened = Promise.withResolvers<void>();
    const tunnel = openTunnel(cloud, [{ local, target: 'web', port: 80 }], {
      signal: stop.signal,
      connect: (_, port) => connect(port === 4443 ? control : proxy),
      onOpen: () => opened.resolve(),
      onProblem: (problem) => problems.push(problem),
    });
    await Promise.race([opened.promise, tunnel]);
    const [heart, secret, ...rest] = helperArgs();
    expect([heart, ...rest]).toEqual(['4443:5', '600', '[TCP2TCP:172.16.0.2:80:4444:27]']);
    expect(secret).toMatch(/^5:[0-9a-f]{32}$/);

    const client = connect(local, '127.0.0.1');
    client.write('hello');
    expect(await text(client)).toBe('echo hello');
    const refused = connect(local, '127.0.0.1');
    expect(await text(refused)).toBe('');
    await expect.poll(() => problems).toEqual(['the tunnel has no place for another connection; try again later']);
    expect(beats).toEqual(['\u{1F44B}\u{1F412}\0']);

    stop.abort();
    await tunnel;
    expect((await cloud.instances.list()).map(({ name }) => name)).toEqual(['web']);
  });

  test('a port that is taken, and an instance that is not there, are told before anything is started', async () => {
    const taken = await serve(() => Promise.resolve());
    const { signal } = new AbortController();
    await expect(openTunnel(cloud, [{ local: taken, target: '10.0.0.1', port: 80 }], { signal })).rejects.toThrow(
      `port ${taken}`,
    );
    await expect(openTunnel(cloud, [{ local: 1, target: 'nobody', port: 80 }], { signal })).rejects.toThrow('nobody');
    expect(standIn.requests.filter(({ method }) => method === 'POST')).toEqual([]);
  });

  async function freePort(): Promise<number> {
    const port = await serve(() => Promise.resolve());
    servers.pop()?.close();
    return port;
  }
});
