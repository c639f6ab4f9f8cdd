import { request } from 'node:http';
import { Agent, type AgentOptions, type RequestOptions } from 'node:https';
import { Duplex } from 'node:stream';
import { connect, type ConnectionOptions } from 'node:tls';
import { RegistryFault } from './fault.ts';

/**
 * The proxy for a URL, as `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` (or the same in lower case) say, the way curl and
 * Go read them: `NO_PROXY` has hosts, `.domains` that end a host, `host:port`, or `*`. Loopback needs no proxy.
 */
export function proxyFor(url: URL, environment: NodeJS.ProcessEnv): URL | undefined {
  const variable = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const value = environment[variable] ?? environment[variable.toLowerCase()] ?? '';
  if (value === '' || isLoopback(url.hostname)) return undefined;
  const exceptions = (environment['NO_PROXY'] ?? environment['no_proxy'] ?? '').split(',').map((entry) => entry.trim());
  if (exceptions.some((entry) => excepts(entry, url))) return undefined;
  return new URL(value.includes('://') ? value : `http://${value}`);
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(\.\d+){3}$/.test(host);
}

function excepts(entry: string, url: URL): boolean {
  if (entry === '' || entry === '*') return entry === '*';
  const [host = '', port] = entry.split(':');
  if (port !== undefined && port !== (url.port || (url.protocol === 'https:' ? '443' : '80'))) return false;
  const domain = host.replace(/^\*?\./, '');
  return url.hostname === domain || url.hostname.endsWith(`.${domain}`);
}

/** The `Proxy-Authorization` for a proxy whose URL has a user in it. */
export function proxyHeaders(proxy: URL): Record<string, string> {
  if (proxy.username === '') return {};
  const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { 'Proxy-Authorization': `Basic ${Buffer.from(user).toString('base64')}` };
}

/** Connects to HTTPS servers through a proxy, by CONNECT (RFC 9110, section 9.3.6). */
export class TunnelAgent extends Agent {
  readonly #proxy: URL;
  readonly #timeout: number;

  constructor(proxy: URL, timeout: number, options: AgentOptions) {
    super(options);
    this.#proxy = proxy;
    this.#timeout = timeout;
  }

  override createConnection(options: RequestOptions, done?: (error: Error | null, socket: Duplex) => void): undefined {
    const proxy = this.#proxy;
    const target = `${options.host ?? ''}:${options.port ?? 443}`;
    const fail = (message: string, cause?: unknown) => {
      const details = {
        at: `${proxy.protocol}//${proxy.host}`,
        hint: 'Check HTTPS_PROXY and NO_PROXY in the environment.',
        cause,
      };
      done?.(new RegistryFault('REGISTRY_UNREACHABLE', `the proxy ${message}`, details), new Duplex());
    };
    const asked = request({
      host: proxy.hostname.replace(/^\[|\]$/g, ''),
      port: proxy.port || 80,
      method: 'CONNECT',
      path: target,
      headers: { Host: target, ...proxyHeaders(proxy) },
      agent: false,
      timeout: this.#timeout,
    });
    asked
      .on('connect', (response, socket) => {
        if (response.statusCode === 200) {
          done?.(null, connect({ ...(options as ConnectionOptions), socket }));
        } else {
          socket.destroy();
          fail(`refuses to connect to ${target} (${response.statusCode})`);
        }
      })
      .on('timeout', () => asked.destroy(new Error('it does not answer')))
      .on('error', (error) => fail(`cannot be reached: ${error.message}`, error))
      .end();
  }
}
