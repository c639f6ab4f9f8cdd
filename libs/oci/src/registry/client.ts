import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { parseJson } from '../decode.ts';
import { pauseBefore } from '../retry.ts';
import { Authorizer, denied, type Scope } from './authorization.ts';
import { type CredentialSource, userCredentials } from './credentials.ts';
import { RegistryFault } from './fault.ts';
import { HttpClient, type HttpOptions, type HttpRequest, type HttpResponse, withoutQuery } from './http.ts';
import { readAll } from './read-all.ts';

export interface RegistryOptions extends HttpOptions {
  /** Default: {@link userCredentials}. */
  readonly credentials?: CredentialSource;
  /** Blobs are sent in pieces of so many bytes, for proxies that limit the size of a request (default: whole). */
  readonly chunkSize?: number;
  /** Refuse every request instead of talking to another machine. */
  readonly offline?: boolean;
}

/** A request to a registry; `path` is below `/v2/`, or a whole URL that the registry gave. */
export interface RegistryRequest {
  readonly method: HttpRequest['method'];
  readonly path: string | URL;
  readonly scopes: readonly Scope[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: HttpRequest['body'];
  readonly isLarge?: boolean;
}

/**
 * Talks to registries (OCI distribution-spec 1.1): connections, credentials and tokens are kept between calls, failed
 * requests are made again with growing pauses.
 */
export class RegistryClient {
  readonly chunkSize: number | undefined;
  readonly #offline: boolean;
  readonly #http: HttpClient;
  readonly #credentials: CredentialSource;
  readonly #authorizers = new Map<string, Authorizer>();

  constructor(options: RegistryOptions = {}) {
    this.#http = new HttpClient(options);
    this.#credentials = options.credentials ?? userCredentials(options.environment);
    this.chunkSize = options.chunkSize;
    this.#offline = options.offline === true;
  }

  /** Closes the connections that are kept open; they do not keep the process alive. */
  close(): void {
    this.#http.close();
  }

  /**
   * Makes a request as often as it helps and gives the answer, if its status is in `expected`; its body must be read.
   *
   * @throws RegistryFault
   */
  async request(registry: string, request: RegistryRequest, expected: readonly number[]): Promise<HttpResponse> {
    for (let failures = 0; ;) {
      try {
        return await this.requestOnce(registry, request, expected);
      } catch (error) {
        // A stream has been read and cannot be sent again.
        if (request.body !== undefined && !Buffer.isBuffer(request.body)) throw error;
        await sleep(pauseBefore(++failures, error));
      }
    }
  }

  /** {@link request} without other attempts, but for one with fresh credentials. */
  async requestOnce(registry: string, request: RegistryRequest, expected: readonly number[]): Promise<HttpResponse> {
    if (this.#offline) throw refused(registry, request);
    const authorizer = this.#authorizerFor(registry);
    const address = new URL('/v2/', await this.#http.addressOf(registry));
    const url = typeof request.path === 'string' ? new URL(request.path, address) : request.path;
    // Upload sessions may lie on another host, which gets no credentials but those in its URL.
    const isOwn = url.host === address.host;
    for (let refused = false; ; refused = true) {
      const header = isOwn ? await authorizer.headerFor(request.scopes) : undefined;
      const response = await this.#http.request({
        method: request.method,
        url,
        headers: { ...request.headers, ...(header === undefined ? {} : { Authorization: header }) },
        ...(request.body === undefined ? {} : { body: request.body }),
        ...(request.isLarge === undefined ? {} : { isLarge: request.isLarge }),
      });
      if (expected.includes(response.status)) return response;
      const said = request.method === 'HEAD' ? '' : await readMessage(response);
      response.body.resume();
      const mayAskAgain = response.status === 401 && isOwn && !refused;
      if (mayAskAgain && (await authorizer.learn(response, request.scopes, header))) {
        if (request.body === undefined || Buffer.isBuffer(request.body)) continue;
        throw new RegistryFault('REGISTRY_FAILED', 'the permission to upload ended', { retryAfter: 0 });
      }
      throw faultOf(response, said, header !== undefined);
    }
  }

  /** Names of all repositories, as far as the registry tells (`GET /v2/_catalog`). */
  repositories(registry: string): Promise<readonly string[]> {
    const entries = (page: unknown) => catalogPage.parse(page).repositories;
    return this.pages(registry, '_catalog?n=1000', ['registry:catalog:*'], entries);
  }

  /** The entries of a list that comes in pages, each with a link to the next. */
  async pages(
    registry: string,
    path: string,
    scopes: readonly Scope[],
    entries: (page: unknown) => readonly string[],
  ): Promise<readonly string[]> {
    const all: string[] = [];
    for (let next: string | URL | undefined = path; next !== undefined;) {
      const response: HttpResponse = await this.request(registry, { method: 'GET', path: next, scopes }, [200]);
      const at = withoutQuery(response.url);
      const page = parseJson(await readAll(response.body, largestPage, response.url), at);
      all.push(...entries(page));
      const link = /<([^>]+)>\s*;[^,]*rel="?next"?/.exec(String(response.headers['link'] ?? ''));
      next = link?.[1] === undefined ? undefined : new URL(link[1], response.url);
    }
    return all;
  }

  #authorizerFor(registry: string): Authorizer {
    const known = this.#authorizers.get(registry);
    if (known !== undefined) return known;
    const authorizer = new Authorizer(registry, this.#http, this.#credentials);
    this.#authorizers.set(registry, authorizer);
    return authorizer;
  }
}

function refused(registry: string, { path }: RegistryRequest): RegistryFault {
  return new RegistryFault('REGISTRY_OFFLINE', 'this is not here, and the network must not be used', {
    at: typeof path === 'string' ? `${registry}/${path}` : withoutQuery(path),
    hint: 'Do this once with a network; what was fetched is kept.',
  });
}

/**
 * Checks credentials against the registry, for `login`, before they are saved.
 *
 * @throws RegistryFault REGISTRY_DENIED when it refuses them, and what happens on the way
 */
export async function checkLogin(registry: string, client: RegistryClient): Promise<void> {
  const response = await client.request(registry, { method: 'GET', path: '', scopes: [] }, [200]);
  response.body.resume();
}

const largestPage = 16 * 1024 * 1024;
const catalogPage = z.object({ repositories: z.array(z.string()).default([]) });
const errorPage = z.object({ errors: z.array(z.object({ code: z.string(), message: z.string().optional() })) });

/** What the registry says about an error; empty where it says nothing that can be understood. */
async function readMessage(response: HttpResponse): Promise<string> {
  try {
    const page = errorPage.safeParse(parseJson(await readAll(response.body, 64 * 1024, response.url), ''));
    const [first] = page.success ? page.data.errors : [];
    return first === undefined ? '' : `: ${first.message ?? first.code}`;
  } catch {
    // A page in HTML, or a broken connection: the status alone must do.
    return '';
  }
}

/** @param wasKnown  whether the request said who asks */
function faultOf({ status, headers, url }: HttpResponse, said: string, wasKnown: boolean): RegistryFault {
  const at = withoutQuery(url);
  if (status === 401) {
    return denied(
      at,
      `${wasKnown ? 'the registry refuses the credentials' : 'the registry wants to know who asks'}${said}`,
    );
  }
  if (status === 403) return denied(at, `the registry does not allow this${said}`);
  if (status === 404) {
    const hint = 'Check the name and the tag.';
    return new RegistryFault('REGISTRY_MISSING', `there is no such image or blob${said}`, { at, hint });
  }
  const asked = Number(headers['retry-after'] ?? 0) * 1000;
  const retryAfter = Number.isNaN(asked) ? 0 : asked;
  if (status === 429) {
    const hint = 'Wait a while, or log in: registries allow more requests to users they know.';
    return new RegistryFault('REGISTRY_BUSY', `the registry is asked too often${said}`, { at, hint, retryAfter });
  }
  const mayHelp = status >= 500 || status === 408;
  return new RegistryFault('REGISTRY_FAILED', `the registry answers ${status}${said}`, {
    at,
    hint: mayHelp ? 'Try again later; if it stays so, ask whoever runs the registry.' : 'Is this an OCI registry?',
    retryAfter: mayHelp ? retryAfter : undefined,
  });
}
