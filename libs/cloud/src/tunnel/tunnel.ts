import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { hasErrorCode } from '@nx-kraft/base';
import type { Cloud } from '../cloud.ts';
import { CloudFault } from '../fault.ts';
import { connectByTls, type Connect, type Helper, newSecret, withHelper } from '../helper-instance.ts';
import { type Forward, privateAddresses } from './forward.ts';

export interface TunnelOptions {
  /** The image of the instance in the cloud that passes connections on. */
  readonly image?: string;
  /** Its port for the heartbeat (default 4443). */
  readonly controlPort?: number;
  /** Its ports for connections: one for each forward, or the first of as many (default 4444). */
  readonly proxyPorts?: readonly number[];
  /** Ends the tunnel. */
  readonly signal: AbortSignal;
  readonly onOpen?: (forward: Forward) => void;
  /** Told why a connection could not be passed on. */
  readonly onProblem?: (problem: string) => void;
  readonly connect?: Connect;
}

/** Says to the instance that we are still there; it ends itself otherwise. */
const heartbeat = Buffer.from('\u{1F44B}\u{1F412}\0');
const heartbeatInterval = 60_000;
/** Seconds that the instance waits for the secret of a connection, and without any traffic at all. */
const secretTime = 5;
const idleTime = 600;
/** The kind of relay that the instance has for TCP. */
const relayKind = 27;

/**
 * Makes ports of instances that the world cannot reach reachable from this machine, until the signal is aborted: through
 * an instance that is started beside them, and removed at the end.
 *
 * @throws CloudFault CLOUD_BAD_INPUT (a port that is taken, an instance without an address), CLOUD_REFUSED,
 *   CLOUD_UNREACHABLE when the instance goes away
 */
export async function openTunnel(cloud: Cloud, forwards: readonly Forward[], options: TunnelOptions): Promise<void> {
  const { image = 'official/utils/tunnel:latest', controlPort = 4443, signal, onOpen } = options;
  const ports = proxyPortsOf(forwards, options.proxyPorts ?? [4444]);
  const addresses = await privateAddresses(cloud, forwards);
  // Taken first, since that is what fails most, and an instance costs something.
  const servers: Server[] = [];
  try {
    const secret = newSecret();
    const ready = Promise.withResolvers<Helper>();
    ready.promise.catch(() => undefined);
    for (const [index, { local }] of forwards.entries()) {
      const server = await listen(local);
      server.on('connection', (socket) => {
        relay(socket, ready.promise, ports[index] ?? 0, secret, options).catch((error: unknown) =>
          options.onProblem?.((error as Error).message),
        );
      });
      servers.push(server);
    }
    const relays = forwards.map(
      ({ port }, index) => `TCP2TCP:${addresses[index]}:${port}:${ports[index]}:${relayKind}`,
    );
    const args = [`${controlPort}:${secretTime}`, `${secretTime}:${secret}`, String(idleTime), `[${relays.join('|')}]`];
    const helper = { image, args, memory: 64, ports: [...ports, controlPort] };
    const work = withHelper(cloud, helper, signal, async (instance) => {
      ready.resolve(instance);
      for (const forward of forwards) onOpen?.(forward);
      await keepAlive(instance, controlPort, secret, options);
    });
    work.catch(ready.reject);
    await work;
  } finally {
    for (const server of servers) server.close();
  }
}

function proxyPortsOf(forwards: readonly Forward[], given: readonly number[]): readonly number[] {
  if (given.length === forwards.length) return given;
  const [first = 0] = given;
  if (given.length === 1) return forwards.map((_, index) => first + index);
  throw new CloudFault('CLOUD_BAD_INPUT', `there are ${given.length} proxy ports for ${forwards.length} forwards`, {
    hint: 'Give one for each forward, or the first one only.',
  });
}

async function listen(port: number): Promise<Server> {
  const server = createServer({ allowHalfOpen: true });
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return server;
  } catch (error) {
    if (!hasErrorCode(error, 'EADDRINUSE', 'EACCES')) throw error;
    throw new CloudFault('CLOUD_BAD_INPUT', `port ${port} of this machine cannot be taken`, {
      hint: `Choose another one: LOCAL:INSTANCE:${port}`,
      cause: error,
    });
  }
}

/** Keeps the instance alive until the user wants an end. */
async function keepAlive({ host }: Helper, port: number, secret: string, options: TunnelOptions): Promise<void> {
  const { signal, connect = connectByTls } = options;
  const control = connect(host, port);
  control.resume();
  const beat = setInterval(() => control.write(heartbeat), heartbeatInterval);
  try {
    control.write(Buffer.concat([Buffer.from(secret), heartbeat]));
    await once(control, 'close', { signal });
    throw gone(host, port);
  } catch (error) {
    if (signal.aborted) return;
    throw error instanceof CloudFault ? error : gone(host, port, error);
  } finally {
    clearInterval(beat);
    control.destroy();
  }
}

/** Passes one connection on: the secret first, then a word whether there is a place for it, then everything. */
async function relay(
  local: Socket,
  instance: Promise<Helper>,
  port: number,
  secret: string,
  { signal, connect = connectByTls }: TunnelOptions,
): Promise<void> {
  let remote: Duplex | undefined;
  try {
    const { host, name } = await instance;
    remote = connect(host, port);
    remote.write(secret);
    const status = await readStatus(remote);
    if (status === 0) throw new Error('the tunnel has no place for another connection; try again later');
    if (status < 0) throw new Error(`the tunnel failed (${status}); nx-kraft cloud instance logs ${name} may say why`);
    await Promise.all([pipeline(local, remote, { signal }), pipeline(remote, local, { signal })]);
  } catch (error) {
    if (!signal.aborted && !isUsualEnd(error)) throw error;
  } finally {
    local.destroy();
    remote?.destroy();
  }
}

async function readStatus(remote: Duplex): Promise<number> {
  for (;;) {
    const bytes = remote.read(2) as Buffer | null;
    if (bytes !== null && bytes.length === 2) return bytes.readInt16LE(0);
    if (bytes !== null || remote.readableEnded) throw new Error('the tunnel ended the connection');
    await Promise.race([once(remote, 'readable'), once(remote, 'end')]);
  }
}

/** Somebody who hangs up is no problem of ours. */
function isUsualEnd(error: unknown): boolean {
  return hasErrorCode(error, 'ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE');
}

function gone(host: string, port: number, cause?: unknown): CloudFault {
  return new CloudFault('CLOUD_UNREACHABLE', 'the tunnel has ended by itself', {
    at: `${host}:${port}`,
    hint: 'Open it again.',
    ...(cause === undefined ? {} : { cause }),
  });
}
