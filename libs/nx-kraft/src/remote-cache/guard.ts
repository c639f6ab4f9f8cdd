import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import {
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
  createServer,
  request as requestHttp,
} from 'node:http';
import { request as requestHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Unsealing, sealSize, sealing } from './seal.ts';

export interface GuardOptions {
  /** The remote cache, as `NX_SELF_HOSTED_REMOTE_CACHE_SERVER` names it. */
  readonly server: string;
  /** What the team's seals are made with; empty: digests only. */
  readonly secret: string;
  /** How long the server may say nothing before it counts as gone, in milliseconds. */
  readonly timeout: number;
  /** Called when it has been told to stop. */
  readonly onStop: () => void;
}

/**
 * Starts a cache on this machine that stands between Nx and a remote cache. Nx 24 alone ends the run when that cannot be
 * reached or answers 500, waits forever for one that says nothing, and believes whatever it is given. Behind the guard
 * a remote cache that is down, slow, broken or lying is one without entries.
 *
 * Entries get a seal on their way out, and only such with the right seal come in. Of a server that failed twice nothing
 * more is asked. `DELETE /` stops the guard and answers with the trouble that it had, as a list of sentences.
 *
 * @returns the guard's own address
 */
export async function startGuard(options: GuardOptions): Promise<string> {
  const guard = new Guard(options);
  const server = createServer((request, response) => {
    if (request.method === 'DELETE') {
      response.end(JSON.stringify([...guard.troubles]), options.onStop);
      return;
    }
    const hash = /^\/v1\/cache\/([\w-]+)$/.exec(request.url ?? '')?.[1];
    if (hash === undefined) return void response.writeHead(404).end();
    const work = request.method === 'PUT' ? guard.put(hash, request, response) : guard.get(hash, request, response);
    // Nx went away: there is nobody to tell.
    work.catch(() => response.destroy());
  });
  await new Promise<void>((done, fail) => server.once('error', fail).listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const allowedFailures = 2;

class Guard {
  /** Each is told once, however many requests met it. */
  readonly troubles = new Set<string>();
  readonly #options: GuardOptions;
  #failures = 0;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** Nx uses what it gets at once, so an entry is looked at whole before it goes on. */
  async get(hash: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const scratch = await mkdtemp(join(tmpdir(), 'nx-kraft-cache-'));
    try {
      const file = join(scratch, hash);
      if (!(await this.#attempt(() => this.#fetch(hash, request, file)))) return void response.writeHead(404).end();
      const { size } = await stat(file);
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': size });
      await pipeline(createReadStream(file), response);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  /** An entry that cannot be kept is no reason to stop: whoever needs it makes it again. */
  async put(hash: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    await this.#attempt(() => this.#send(hash, request));
    request.resume();
    response.writeHead(200).end();
  }

  /** Whether it went well; false also for a server that has failed too often, which is not asked. */
  async #attempt(work: () => Promise<boolean>): Promise<boolean> {
    if (this.#failures >= allowedFailures) return false;
    try {
      return await work();
    } catch (error) {
      const reason = error instanceof Error ? error.message || error.name : String(error);
      this.troubles.add(`${reason}; the build goes on without it`);
      this.#failures += 1;
      return false;
    }
  }

  /** Writes a genuine entry into a file; false when there is none. */
  async #fetch(hash: string, request: IncomingMessage, file: string): Promise<boolean> {
    const answer = await this.#ask('GET', hash, forwarded(request));
    if (answer.statusCode !== 200) {
      answer.resume();
      if (answer.statusCode === 404) return false;
      throw new Error(`it answered ${answer.statusCode}`);
    }
    const unsealing = new Unsealing(hash, this.#options.secret);
    await pipeline(answer, unsealing, createWriteStream(file));
    if (!unsealing.isGenuine) this.troubles.add(`its entry ${hash} is damaged, or not of this team: not used`);
    return unsealing.isGenuine;
  }

  async #send(hash: string, request: IncomingMessage): Promise<boolean> {
    const length = Number(request.headers['content-length']) + sealSize;
    const headers = { ...forwarded(request), 'content-type': 'application/octet-stream', 'content-length': length };
    const answer = await this.#ask('PUT', hash, headers, request);
    answer.resume();
    // 403 is what a token that may only read gets, 409 that somebody was faster: both are as they should be.
    if (![200, 201, 204, 403, 409].includes(answer.statusCode ?? 0))
      throw new Error(`it answered ${answer.statusCode}`);
    return true;
  }

  /** Asks the server and gives its answer, whose body may stall no longer than the timeout either. */
  #ask(method: string, hash: string, headers: OutgoingHttpHeaders, body?: IncomingMessage): Promise<IncomingMessage> {
    const { server, timeout, secret } = this.#options;
    const url = new URL(`v1/cache/${hash}`, server.endsWith('/') ? server : `${server}/`);
    return new Promise((done, fail) => {
      const send = url.protocol === 'https:' ? requestHttps : requestHttp;
      let answer: IncomingMessage | undefined;
      const asked = send(url, { method, headers, timeout }, (response) => done((answer = response)));
      asked.on('error', fail);
      asked.on('timeout', () => (answer ?? asked).destroy(new Error(`it said nothing for ${timeout / 1000} s`)));
      if (body === undefined) return void asked.end();
      // A server may refuse before it has read all: then its answer counts, not that the rest found no reader.
      pipeline(body, sealing(hash, secret), asked).catch(fail);
    });
  }
}

/** What of Nx's request the server needs to know who asks. */
function forwarded({ headers: { authorization } }: IncomingMessage): OutgoingHttpHeaders {
  return authorization === undefined ? {} : { authorization };
}
