import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Cloud } from '../cloud.ts';
import { checkSignal } from '../deploy/health.ts';
import { CloudFault } from '../fault.ts';
import { connectByTls, type Connect, newSecret, withHelper } from '../helper-instance.ts';
import { framesOf } from './frames.ts';
import { type Room, roomReplies } from './replies.ts';

export interface ImportOptions {
  /** The image of the instance that writes the volume. */
  readonly image?: string;
  /** Seconds after which that instance gives up when it hears nothing (default 10). */
  readonly timeout?: number;
  /** Tries although there seems to be too little room: files that are there already may be replaced. */
  readonly force?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Told how many bytes of the archive are sent. */
  readonly onProgress?: (sent: number, total: number) => void;
  readonly connect?: Connect;
}

const port = 42_069;

/**
 * Copies what a CPIO archive holds onto a volume, by an instance that is started for it and removed again.
 *
 * @param archive  a file in the format newc
 * @returns how much room is left
 * @throws CloudFault CLOUD_BAD_INPUT when the volume is too small; CLOUD_REFUSED, CLOUD_UNREACHABLE, CLOUD_STOPPED
 */
export async function importVolume(
  cloud: Cloud,
  volume: string,
  archive: string,
  options: ImportOptions = {},
): Promise<Room> {
  const { image = 'official/utils/volimport:latest', timeout = 10, signal } = options;
  const { size } = await stat(archive);
  const [found] = await cloud.volumes.list([volume]);
  const total = (found?.size_mb ?? 0) * 2 ** 20;
  if (found === undefined || size >= total) throw tooSmall(volume, size, total);
  const secret = newSecret();
  const helper = {
    image,
    args: ['-p', String(port), '-a', secret, '-t', String(timeout)],
    memory: 128,
    ports: [port],
    volumes: [{ uuid: found.uuid, at: '/' }],
  };
  return withHelper(cloud, helper, signal, ({ host }) => send({ host, secret, archive, size, volume }, options));
}

interface Delivery {
  readonly host: string;
  readonly secret: string;
  readonly archive: string;
  readonly size: number;
  readonly volume: string;
}

async function send(delivery: Delivery, options: ImportOptions): Promise<Room> {
  const { host, secret, archive, size, volume } = delivery;
  const { force = false, signal, onProgress = () => undefined, connect = connectByTls } = options;
  const at = `${host}:${port}`;
  const connection = connect(host, port);
  const onStop = (): void => void connection.destroy();
  signal?.addEventListener('abort', onStop);
  const stop = new AbortController();
  try {
    const replies = roomReplies(connection, at);
    connection.write(secret);
    const { value: before } = await replies.next();
    if (!force && before.free < BigInt(size)) throw tooSmall(volume, size, Number(before.free));
    const sending = pipeline(Readable.from(counted(framesOf(archive), size, onProgress)), connection, {
      end: false,
      signal: stop.signal,
    });
    const ending = replies.next();
    ending.catch(() => stop.abort());
    const [sent, ended] = await Promise.allSettled([sending, ending]);
    // The importer's own words first: what went wrong with the connection comes of what it tells.
    if (ended.status === 'rejected') {
      const told = ended.reason instanceof CloudFault && ended.reason.code === 'CLOUD_REFUSED';
      throw !told && sent.status === 'rejected' ? sent.reason : ended.reason;
    }
    // Hearing the secret again, the instance ends.
    await new Promise<void>((done) => connection.end(secret, done));
    return ended.value.value;
  } catch (error) {
    checkSignal(signal);
    if (error instanceof CloudFault) throw error;
    throw new CloudFault('CLOUD_UNREACHABLE', `the import broke off: ${(error as Error).message}`, {
      at,
      hint: 'Try again; what has arrived is on the volume already.',
      cause: error,
    });
  } finally {
    signal?.removeEventListener('abort', onStop);
    connection.destroy();
  }
}

async function* counted(
  frames: AsyncIterable<Buffer>,
  total: number,
  onProgress: (sent: number, total: number) => void,
): AsyncGenerator<Buffer> {
  let sent = 0;
  for await (const frame of frames) {
    yield frame;
    sent += frame.length;
    onProgress(sent, total);
  }
}

function tooSmall(volume: string, size: number, room: number): CloudFault {
  return new CloudFault('CLOUD_BAD_INPUT', `${volume} has room for ${room} bytes, and ${size} are to be imported`, {
    hint: 'Import less, or create a larger volume.',
  });
}
