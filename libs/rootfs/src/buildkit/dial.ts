import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type OutgoingHttpHeaders, request } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import { request as call } from './grpc.ts';

/**
 * Room for what is under way: with HTTP/2's default of 64 KiB, an export runs at half the speed. Both ends of the
 * session inside the session use it, too.
 */
export const windowSize = 32 * 1024 * 1024;

/**
 * The most bytes of headers that we say we take: larger ones break the connection, since what Node speaks HTTP/2 with takes no
 * header of more than 64 KiB, whatever its settings. BuildKit's gRPC ends only the call whose headers would be larger.
 */
const headerLimit = 64 * 1024;

export interface Connection {
  readonly session: ClientHttp2Session;
  /** Opens a connection for a session, where there is a shorter way than through a call of this one. */
  readonly openTunnel?: (headers: OutgoingHttpHeaders) => Promise<Duplex>;
  close(): void;
}

/**
 * Connects to a BuildKit daemon: `unix:///path`, `tcp://host:port` or `docker-container://name` (through `docker exec`).
 *
 * @param env  of the docker program
 * @throws Error with the reason, as the end of a sentence, when nobody answers
 */
export async function dialBuildkit(address: string, env: NodeJS.ProcessEnv): Promise<Connection> {
  const url = parse(address);
  switch (url.scheme) {
    case 'unix':
      return open(await dialSocket({ path: url.rest }, address));
    case 'tcp': {
      const { hostname, port } = new URL(`http://${url.rest}`);
      return open(await dialSocket({ host: hostname, port: Number(port === '' ? '1234' : port) }, address));
    }
    case 'docker-container':
      return dialContainer(url.rest, env);
    default:
      throw new Error(`the scheme of ${address} is not known (known are unix, tcp and docker-container)`);
  }
}

/**
 * Connects to the BuildKit inside a Docker engine, by the engine's `POST /grpc`.
 *
 * @param address  as in DOCKER_HOST: `unix:///path` or `tcp://host:port`
 */
export async function dialDockerEngine(address: string): Promise<Connection> {
  const connection = await open(await upgrade(address, '/grpc', {}));
  return { ...connection, openTunnel: (headers) => upgrade(address, '/session', headers) };
}

/** Asks an engine to speak HTTP/2 from here on. */
async function upgrade(address: string, path: string, headers: OutgoingHttpHeaders): Promise<Duplex> {
  const url = parse(address);
  if (url.scheme !== 'unix' && url.scheme !== 'tcp') throw new Error(`the scheme of ${address} is not unix or tcp`);
  const { hostname, port } = new URL(`http://${url.scheme === 'tcp' ? url.rest : 'docker'}`);
  const target =
    url.scheme === 'unix' ? { socketPath: url.rest } : { host: hostname, port: port === '' ? '2375' : port };
  const asked = request({
    ...target,
    method: 'POST',
    path,
    headers: { ...headers, Connection: 'Upgrade', Upgrade: 'h2c', Host: 'docker' },
  });
  return new Promise<Duplex>((resolve, reject) => {
    asked.once('upgrade', (_, socket, head) => {
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    asked.once('response', ({ statusCode }) => reject(new Error(`${address} answered ${statusCode ?? 0} to ${path}`)));
    asked.once('error', (error) => reject(explain(error, address)));
    asked.end();
  });
}

function parse(address: string): { scheme: string; rest: string } {
  const match = /^([a-z-]+):\/\/([^]*)$/.exec(address);
  return { scheme: match?.[1] ?? '', rest: match?.[2] ?? '' };
}

async function dialSocket(target: { path: string } | { host: string; port: number }, address: string): Promise<Duplex> {
  const socket = connect(target);
  try {
    await once(socket, 'connect');
  } catch (error) {
    throw explain(error, address);
  }
  return socket;
}

function explain(error: unknown, address: string): Error {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: `there is no ${address}`,
    ECONNREFUSED: `nobody listens at ${address}`,
    EACCES: `this user may not connect to ${address}`,
    ENOTFOUND: `the host of ${address} is not known`,
  };
  return new Error(reasons[code] ?? `${address} cannot be reached (${code})`, { cause: error });
}

async function dialContainer(name: string, env: NodeJS.ProcessEnv): Promise<Connection> {
  const args = ['exec', '-i', name, 'buildctl', 'dial-stdio'];
  const child = spawn('docker', args, { env, stdio: 'pipe' });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString('utf8')).slice(-1000)));
  const reason = once(child, 'close').then(
    () => said.trim(),
    () => 'docker is not installed',
  );
  const duplex = Duplex.from({ writable: child.stdin, readable: child.stdout });
  duplex.once('close', () => child.kill());
  // A session does not always notice that its connection had ended before it began.
  const ended = new Promise<never>((_, reject) => child.once('exit', () => reject(new Error('docker has ended'))));
  try {
    return await Promise.race([open(duplex), ended]);
  } catch (error) {
    duplex.destroy();
    throw new Error(`the container ${name} cannot be used (${await reason})`, { cause: error });
  }
}

/** Speaks HTTP/2 over a connection and asks whether BuildKit is at its other end. */
async function open(socket: Duplex): Promise<Connection> {
  const session = connectHttp2('http://buildkit', {
    createConnection: () => socket,
    settings: { initialWindowSize: windowSize, maxHeaderListSize: headerLimit },
  });
  // Calls fail with their own errors; this one only says the same again.
  session.on('error', () => undefined);
  session.once('connect', () => session.setLocalWindowSize(windowSize));
  const close = (): void => {
    session.destroy();
    socket.destroy();
  };
  try {
    await call(session, '/moby.buildkit.v1.Control/ListWorkers', new Uint8Array());
    return { session, close };
  } catch (error) {
    close();
    throw new Error(`what answers is no BuildKit (${error instanceof Error ? error.message : String(error)})`, {
      cause: error,
    });
  }
}
