import * as http from 'node:http';
import * as https from 'node:https';
import { Fault, hasErrorCode } from '@nx-kraft/base';
import { getInBulk } from './bulk.ts';
import { Connections, hostOf, type TrustOptions } from './connections.ts';
import { RegistryFault } from './fault.ts';
import { isLoopback, proxyFor, proxyHeaders } from './proxy.ts';

/** How connections are made. Hosts are written as in references, with their port if they have one. */
export interface HttpOptions extends TrustOptions {
  /** Registries that speak plain HTTP. Loopback addresses may do so without being told. */
  readonly plainHttp?: readonly string[];
  /** Milliseconds without a byte after which a connection is given up (default 30,000); of an upload, ten times that. */
  readonly timeout?: number;
  /** Where proxies are set (default `process.env`). */
  readonly environment?: NodeJS.ProcessEnv;
  /** Name and version of the program that asks. */
  readonly userAgent?: string;
}

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Chunks of a stream may be used again for the next ones. */
  readonly body?: Buffer | AsyncIterable<Buffer>;
  /** Whether the answer is large; its chunks then hold their bytes only until the next is asked for. */
  readonly isLarge?: boolean;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<http.IncomingHttpHeaders>;
  readonly body: HttpBody;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
}

/** Must be read to its end, or be given up by `resume`. */
export interface HttpBody extends AsyncIterable<Buffer> {
  resume(): unknown;
}

/** Makes single HTTP requests; keeps connections open between them. */
export class HttpClient {
  readonly #options: HttpOptions;
  readonly #timeout: number;
  readonly #connections: Connections;
  /** What loopback registries turned out to speak. */
  readonly #protocols = new Map<string, Promise<'http:' | 'https:'>>();

  constructor(options: HttpOptions) {
    this.#options = options;
    this.#timeout = options.timeout ?? 30_000;
    this.#connections = new Connections(options, this.#timeout);
  }

  /** Closes connections that are kept open. */
  close(): void {
    this.#connections.close();
  }

  /** The address of a registry: HTTPS, unless told otherwise or a loopback registry that knows no TLS. */
  async addressOf(registry: string): Promise<URL> {
    const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
    if (this.#options.plainHttp?.includes(registry) === true) return new URL(`http://${host}`);
    const address = new URL(`https://${host}`);
    if (!isLoopback(address.hostname)) return address;
    let protocol = this.#protocols.get(host);
    if (protocol === undefined) this.#protocols.set(host, (protocol = this.#probe(address)));
    address.protocol = await protocol;
    // The port 443 of an https URL is not written and would be lost.
    return new URL(`${await protocol}//${host}`);
  }

  async #probe(address: URL): Promise<'http:' | 'https:'> {
    try {
      const { body } = await this.request({ method: 'GET', url: new URL('/v2/', address) });
      body.resume();
      return 'https:';
    } catch (error) {
      const cause = error instanceof RegistryFault ? error.cause : error;
      if (hasErrorCode(cause, 'EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER')) return 'http:';
      throw error;
    }
  }

  /**
   * One request and its answer, whatever its status; redirects of GET and HEAD are followed, credentials only to the
   * same host.
   *
   * @throws RegistryFault REGISTRY_UNREACHABLE, REGISTRY_UNTRUSTED, REGISTRY_TIMEOUT, REGISTRY_FAILED
   */
  async request(request: HttpRequest): Promise<HttpResponse> {
    let current = request;
    for (let redirects = 0; ; redirects++) {
      const answer = await this.#send(current);
      const { status, headers, body } = answer;
      const isRead = request.method === 'GET' || request.method === 'HEAD';
      const location = headers.location;
      if (!isRead || location === undefined || status < 300 || status > 399) return answer;
      body.resume();
      current = redirected(current, location, redirects);
    }
  }

  async #send(request: HttpRequest): Promise<HttpResponse> {
    const { url } = request;
    const proxy = proxyFor(url, this.#options.environment ?? process.env);
    const headers = {
      ...(this.#options.userAgent === undefined ? {} : { 'User-Agent': this.#options.userAgent }),
      ...request.headers,
    };
    if (request.isLarge === true && proxy === undefined) {
      const answer = await this.#sendInBulk(url, headers);
      if (answer !== undefined) return answer;
    }
    const body = await this.#sendPlainly({ ...request, headers }, proxy);
    return { status: body.statusCode ?? 0, headers: body.headers, body, url };
  }

  async #sendInBulk(url: URL, headers: Readonly<Record<string, string>>): Promise<HttpResponse | undefined> {
    const timeout = this.#timeout;
    const request = { url, headers, timeout, onTimeout: () => timeoutFault(url, timeout) };
    try {
      const answer = await getInBulk((onread) => this.#connections.connect(url, onread), request);
      return answer === undefined ? undefined : { ...answer, url };
    } catch (error) {
      throw error instanceof Error ? asFault(error, url) : error;
    }
  }

  #sendPlainly(request: HttpRequest, proxy: URL | undefined): Promise<http.IncomingMessage> {
    const { url, body } = request;
    const isPlain = url.protocol === 'http:';
    const path = `${url.pathname}${url.search}`;
    const target = isPlain && proxy !== undefined ? proxy : url;
    const isStream = body !== undefined && !Buffer.isBuffer(body);
    // After a large upload a registry may move and check it for minutes before it answers.
    const timeout = isStream ? this.#timeout * 10 : this.#timeout;
    const options: https.RequestOptions = {
      method: request.method,
      protocol: url.protocol,
      hostname: hostOf(target),
      port: target.port,
      path: target === url ? path : `http://${url.host}${path}`,
      headers: {
        ...request.headers,
        Host: url.host,
        ...(target === url ? {} : proxyHeaders(target)),
        ...(Buffer.isBuffer(body) ? { 'Content-Length': String(body.length) } : {}),
      },
      timeout,
      agent: this.#connections.agentFor(url, isPlain ? undefined : proxy),
    };
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => reject(asFault(error, url));
      const sent = isPlain ? http.request(options) : https.request(options);
      sent
        .on('response', resolve)
        .on('timeout', () => sent.destroy(timeoutFault(url, timeout)))
        .on('error', fail);
      if (isStream) void sendStream(body, sent);
      else sent.end(body);
    });
  }
}

/** Sends each chunk before it takes the next. Errors of either side end the request, and come by its own event. */
async function sendStream(body: AsyncIterable<Buffer>, sent: http.ClientRequest): Promise<void> {
  const closed = new Promise<void>((done) => sent.once('close', done));
  try {
    for await (const chunk of body) {
      // Of a request that has ended nobody may ever tell what became of a chunk.
      await Promise.race([closed, new Promise((done) => sent.write(chunk, done))]);
      if (sent.destroyed) return;
    }
    sent.end();
  } catch (error) {
    sent.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

function redirected(request: HttpRequest, location: string, redirects: number): HttpRequest {
  const url = new URL(location, request.url);
  const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && request.url.protocol === 'http:');
  if (!isSafe || redirects === 5) {
    throw new RegistryFault('REGISTRY_FAILED', `the registry redirects ${isSafe ? 'too often' : 'to plain HTTP'}`, {
      at: withoutQuery(request.url),
      hint: 'This is a fault of the registry, or of a proxy before it.',
    });
  }
  if (url.host === request.url.host) return { ...request, url };
  const headers = Object.entries(request.headers ?? {}).filter(([name]) => name !== 'Authorization');
  return { ...request, url, headers: Object.fromEntries(headers) };
}

/** The URL for people: signed storage URLs have secrets behind the question mark. */
export function withoutQuery(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

function timeoutFault(url: URL, timeout: number): RegistryFault {
  return new RegistryFault('REGISTRY_TIMEOUT', `nothing came for ${timeout / 1000} seconds`, {
    at: withoutQuery(url),
    hint: 'The registry, or the network, hangs. Try again later, or allow more time.',
    retryAfter: 0,
  });
}

const untrusted = new Set([
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** What went wrong on a connection, also in the middle of a body, as a fault. */
export function asFault(error: Error, url: URL): Error {
  if (error instanceof Fault) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === '') return error;
  const at = withoutQuery(url);
  if (untrusted.has(code)) {
    return new RegistryFault('REGISTRY_UNTRUSTED', `its certificate cannot be trusted: ${error.message}`, {
      at,
      hint: 'Add the authority that signed it, or name the registry as insecure.',
      cause: error,
    });
  }
  if (code === 'EPROTO') {
    return new RegistryFault('REGISTRY_UNREACHABLE', 'it does not speak TLS', {
      at,
      hint: 'If it is a registry without TLS, name it as one that speaks plain HTTP.',
      cause: error,
    });
  }
  const isFinal = code === 'ENOTFOUND' || code === 'ECONNREFUSED';
  return new RegistryFault('REGISTRY_UNREACHABLE', `the connection failed: ${error.message}`, {
    at,
    hint: 'Check the name of the registry and the network.',
    cause: error,
    retryAfter: isFinal ? undefined : 0,
  });
}
