import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from './scenario.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

/** What a guest sends back is kept up to this size, in bytes. */
const longestAnswer = 1024 * 1024;
/** How long (milliseconds) the first try may take; each further one may take twice as long as the one before. */
const firstTry = 250;
const pause = 25;

/**
 * Repeats `attempt` until it gives a result. QEMU's user network accepts a connection before the guest listens and
 * drops it then, so that only an answer shows that the guest is there.
 *
 * @throws the last error when `signal` is aborted
 */
export async function untilAnswered<T>(attempt: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let limit = firstTry; ; limit *= 2) {
    try {
      return await attempt(AbortSignal.any([signal, AbortSignal.timeout(limit)]));
    } catch (error) {
      if (signal.aborted) throw error;
      await sleep(pause);
    }
  }
}

/** Makes one HTTP request to a port, of this host unless another is given. */
export function exchangeHttp(
  port: number,
  { path, method, headers, body }: Scenario['http'][number],
  signal: AbortSignal,
  host = '127.0.0.1',
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host, port, path, method, headers, signal, agent: false }, (answer) => {
      collect(answer).then((text) => {
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text });
      }, reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Sends a text over TCP and gives what comes back, until `isEnough` or the end of the connection. */
export async function exchangeTcp(
  port: number,
  send: string,
  isEnough: (seen: string) => boolean,
  signal: AbortSignal,
): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, signal });
  try {
    socket.write(send);
    const seen = await collect(socket, isEnough);
    if (seen === '') throw new Error('the connection was closed without an answer');
    return seen;
  } finally {
    socket.destroy();
  }
}

async function collect(
  stream: AsyncIterable<unknown>,
  isEnough: (seen: string) => boolean = () => false,
): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > longestAnswer || isEnough(Buffer.concat(chunks).toString())) break;
  }
  return Buffer.concat(chunks).toString();
}
