import { readdirSync, readFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import { join } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import * as tls from 'node:tls';
import { Fault, hasErrorCode } from '@nx-kraft/base';
import { RegistryFault } from './fault.ts';
import { isLoopback, proxyFor, proxyHeaders, TunnelAgent } from './proxy.ts';

/** How connections are made. Hosts are written as in references, with their port if they have one. */
export interface HttpOptions {
  /** Registries that speak plain HTTP. Loopback addresses may do so without being told. */
  readonly plainHttp?: readonly string[];
  /** Registries whose certificates are not checked. */
  readonly insecure?: readonly string[];
  /** More certificate authorities, as PEM; for one host, files in `/etc/docker/certs.d/HOST/*.crt` count as well. */
  readonly authorities?: readonly string[];
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
  readonly body?: Buffer | Readable;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** Must be read to its end, or destroyed. */
  readonly body: http.IncomingMessage;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
}

/** Makes single HTTP requests; keeps connections open between them. */
export class HttpClient {
  readonly #options: HttpOptions;
  readonly #timeout: number;
  readonly #agents = new Map<string, http.Agent>();
  /** What loopback registries turned out to speak. */
  readonly #protocols = new Map<string, Promise<'http:' | 'https:'>>();

  constructor(options: HttpOptions) {
    this.#options = options;
    this.#timeout = options.timeout ?? 30_000;
  }

  /** Closes connections that are kept open. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
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
      const body = await this.#send(current);
      const status = body.statusCode ?? 0;
      const isRead = request.method === 'GET' || request.method === 'HEAD';
      const location = body.headers.location;
      if (!isRead || location === undefined || status < 300 || status > 399) {
        return { status, headers: body.headers, body, url: current.url };
      }
      body.resume();
      current = redirected(current, location, redirects);
    }
  }

  #send(request: HttpRequest): Promise<http.IncomingMessage> {
    const { url } = request;
    const proxy = proxyFor(url, this.#options.environment ?? process.env);
    const isPlain = url.protocol === 'http:';
    const path = `${url.pathname}${url.search}`;
    const target = isPlain && proxy !== undefined ? proxy : url;
    // After a large upload a registry may move and check it for minutes before it answers.
    const timeout = request.body instanceof Readable ? this.#timeout * 10 : this.#timeout;
    const options: https.RequestOptions = {
      method: request.method,
      protocol: url.protocol,
      hostname: target.hostname.replace(/^\[|\]$/g, ''),
      port: target.port,
      path: target === url ? path : `http://${url.host}${path}`,
      headers: {
        ...(this.#options.userAgent === undefined ? {} : { 'User-Agent': this.#options.userAgent }),
        ...request.headers,
        Host: url.host,
        ...(target === url ? {} : proxyHeaders(target)),
        ...(request.body instanceof Buffer ? { 'Content-Length': String(request.body.length) } : {}),
      },
      timeout,
      agent: this.#agentFor(url, isPlain ? undefined : proxy),
    };
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => reject(asFault(error, url));
      const sent = isPlain ? http.request(options) : https.request(options);
      sent
        .on('response', resolve)
        .on('timeout', () => sent.destroy(timeoutFault(url, timeout)))
        .on('error', fail);
      if (request.body instanceof Readable) {
        // Errors of the request come by its own event; those of the source end the request and come by the same.
        pipeline(request.body, sent, () => undefined);
      } else {
        sent.end(request.body);
      }
    });
  }

  #agentFor(url: URL, proxy: URL | undefined): http.Agent {
    const key = `${url.origin} ${proxy?.href ?? ''}`;
    const known = this.#agents.get(key);
    if (known !== undefined) return known;
    const agent = this.#makeAgent(url, proxy);
    this.#agents.set(key, agent);
    return agent;
  }

  #makeAgent(url: URL, proxy: URL | undefined): http.Agent {
    const options = { keepAlive: true, maxSockets: 8 };
    if (url.protocol === 'http:') return new http.Agent(options);
    const authorities = [...(this.#options.authorities ?? []), ...dockerAuthorities(url.host)];
    const secure: https.AgentOptions = {
      ...options,
      rejectUnauthorized: this.#options.insecure?.includes(url.host) !== true,
      ...(authorities.length === 0 ? {} : { ca: [...systemAuthorities(), ...authorities] }),
    };
    return proxy === undefined ? new https.Agent(secure) : new TunnelAgent(proxy, this.#timeout, secure);
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

function systemAuthorities(): readonly string[] {
  // Node.js before 22.15 does not have it, whatever the types say.
  const get = (tls as Partial<typeof tls>).getCACertificates;
  return get === undefined ? tls.rootCertificates : get('default');
}

function dockerAuthorities(host: string): readonly string[] {
  const folder = join('/etc/docker/certs.d', host);
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith('.crt'));
    return names.map((name) => readFileSync(join(folder, name), 'utf8'));
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return [];
    throw error;
  }
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
