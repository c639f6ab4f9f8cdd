import { readdirSync, readFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import { join } from 'node:path';
import * as tls from 'node:tls';
import { hasErrorCode } from '@nx-kraft/base';
import { TunnelAgent } from './proxy.ts';

/** Which servers are trusted. Hosts are written as in references, with their port if they have one. */
export interface TrustOptions {
  /** Registries whose certificates are not checked. */
  readonly insecure?: readonly string[];
  /** More certificate authorities, as PEM; for one host, files in `/etc/docker/certs.d/HOST/*.crt` count as well. */
  readonly authorities?: readonly string[];
}

/** Makes connections, and keeps those of requests open between them. */
export class Connections {
  readonly #options: TrustOptions;
  readonly #timeout: number;
  readonly #agents = new Map<string, http.Agent>();

  constructor(options: TrustOptions, timeout: number) {
    this.#options = options;
    this.#timeout = timeout;
  }

  /** Closes connections that are kept open. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
  }

  agentFor(url: URL, proxy: URL | undefined): http.Agent {
    const key = `${url.origin} ${proxy?.href ?? ''}`;
    const known = this.#agents.get(key);
    if (known !== undefined) return known;
    const agent = this.#makeAgent(url, proxy);
    this.#agents.set(key, agent);
    return agent;
  }

  /** A connection of its own, without a proxy, that hands what comes in to `onread`. */
  connect(url: URL, onread: net.OnReadOpts): net.Socket {
    const host = hostOf(url);
    if (url.protocol === 'http:') return net.connect({ host, port: Number(url.port || 80), onread });
    const servername = net.isIP(host) === 0 ? { servername: host } : {};
    const port = Number(url.port || 443);
    const options: tls.ConnectionOptions & net.SocketConstructorOpts = { host, port, ...this.#trustOf(url), onread };
    return tls.connect({ ...options, ...servername });
  }

  #makeAgent(url: URL, proxy: URL | undefined): http.Agent {
    const options = { keepAlive: true, maxSockets: 8 };
    if (url.protocol === 'http:') return new http.Agent(options);
    const secure = { ...options, ...this.#trustOf(url) };
    return proxy === undefined ? new https.Agent(secure) : new TunnelAgent(proxy, this.#timeout, secure);
  }

  #trustOf(url: URL): Pick<tls.ConnectionOptions, 'rejectUnauthorized' | 'ca'> {
    const authorities = [...(this.#options.authorities ?? []), ...dockerAuthorities(url.host)];
    return {
      rejectUnauthorized: this.#options.insecure?.includes(url.host) !== true,
      ...(authorities.length === 0 ? {} : { ca: [...systemAuthorities(), ...authorities] }),
    };
  }
}

/** The host to connect to: addresses of IPv6 stand in brackets in URLs. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
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
