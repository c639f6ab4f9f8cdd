import { setTimeout as sleep } from 'node:timers/promises';
import type { Cloud } from '../cloud.ts';

/** The most bytes that the API gives at once. */
const pageBytes = 16_383;

export interface LogOptions {
  /** How many lines of what there is already; all when left out. */
  readonly tail?: number | undefined;
  /** Goes on until the instance has stopped, or the signal is aborted. */
  readonly follow?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds between two looks (default 1000). */
  readonly interval?: number;
}

/** What an instance has written to its console, as it comes. */
export async function* readLog(cloud: Cloud, id: string, options: LogOptions = {}): AsyncGenerator<Uint8Array> {
  const { tail, follow = false, signal, interval = 1000 } = options;
  let offset = 0;
  if (tail !== undefined) {
    const last = await lastBytes(cloud, id, pageBytes);
    yield Buffer.from(lastLines(last.text, tail));
    offset = last.end;
    if (!follow) return;
  }
  while (signal?.aborted !== true) {
    const page = await cloud.instances.log(id, { offset, limit: pageBytes });
    const bytes = Buffer.from(page?.output ?? '', 'base64');
    if (bytes.length > 0) yield bytes;
    // A ring that has turned since begins later than asked for.
    offset = page?.range?.end ?? offset + bytes.length;
    if (bytes.length > 0) continue;
    if (!follow || page?.state === 'stopped') return;
    await sleep(interval, undefined, { ref: true });
  }
}

/** The last lines of an instance's console. */
export async function lastLog(cloud: Cloud, id: string, lines: number): Promise<string> {
  return lastLines((await lastBytes(cloud, id, pageBytes)).text, lines);
}

async function lastBytes(cloud: Cloud, id: string, bytes: number): Promise<{ text: string; end: number }> {
  const page = await cloud.instances.log(id, { offset: -bytes, limit: bytes });
  const text = Buffer.from(page?.output ?? '', 'base64').toString('utf8');
  return { text, end: page?.range?.end ?? Buffer.byteLength(text) };
}

function lastLines(text: string, lines: number): string {
  const all = text.replace(/\n$/, '').split('\n');
  return lines <= 0 || text === '' ? '' : `${all.slice(-lines).join('\n')}\n`;
}
