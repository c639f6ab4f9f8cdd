import { z } from 'zod';
import { parseOrUndefined } from '../parse-json.ts';
import type { Credentials, CredentialSource } from './credentials.ts';
import { RegistryFault } from './fault.ts';
import { type HttpClient, type HttpResponse, withoutQuery } from './http.ts';
import { readAll } from './read-all.ts';

interface Challenge {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Docker's name of what a request wants to do: `repository:NAME:pull,push` or `registry:catalog:*`. */
export type Scope = string;

/**
 * Finds the `Authorization` for requests to one registry: none, Basic, or a Bearer token from the server that the
 * registry names (distribution-spec and Docker's token authentication, in both its forms). Tokens are kept by scope
 * until they end.
 */
export class Authorizer {
  readonly #registry: string;
  readonly #http: HttpClient;
  readonly #credentials: CredentialSource;
  #challenge: Challenge | undefined;
  readonly #tokens = new Map<string, { readonly token: string; readonly end: number }>();

  constructor(registry: string, http: HttpClient, credentials: CredentialSource) {
    this.#registry = registry;
    this.#http = http;
    this.#credentials = credentials;
  }

  /** The header's value for a request; undefined where nothing was asked for so far. */
  async headerFor(scopes: readonly Scope[]): Promise<string | undefined> {
    const challenge = this.#challenge;
    if (challenge === undefined) return undefined;
    if (challenge.scheme === 'basic') return this.#basic();
    return `Bearer ${await this.#token(challenge, scopes)}`;
  }

  /**
   * Takes a refusal (401) in. Gives whether it makes sense to ask again with what {@link headerFor} now gives.
   *
   * @param sent  the header that was refused
   */
  async learn(response: HttpResponse, scopes: readonly Scope[], sent: string | undefined): Promise<boolean> {
    const challenge = parseChallenge(response.headers['www-authenticate'] ?? '');
    if (challenge === undefined) return false;
    this.#challenge = challenge;
    if (sent !== undefined) this.#tokens.delete(keyOf(challenge, scopes));
    return (await this.headerFor(scopes)) !== sent;
  }

  async #basic(): Promise<string | undefined> {
    const credentials = await this.#credentials(this.#registry);
    return credentials !== undefined && 'username' in credentials ? basic(credentials) : undefined;
  }

  async #token(challenge: Challenge, scopes: readonly Scope[]): Promise<string> {
    const key = keyOf(challenge, scopes);
    const known = this.#tokens.get(key);
    if (known !== undefined && known.end > Date.now()) return known.token;
    const fresh = await this.#fetchToken(challenge, scopes);
    this.#tokens.set(key, fresh);
    return fresh.token;
  }

  async #fetchToken({ parameters }: Challenge, scopes: readonly Scope[]): Promise<{ token: string; end: number }> {
    const { realm = '', service } = parameters;
    const url = URL.parse(realm);
    if (url === null) throw this.#failed(realm, 'the registry names no server for tokens');
    const { protocol } = await this.#http.addressOf(this.#registry);
    if (protocol === 'https:' && url.protocol !== 'https:') {
      throw this.#failed(withoutQuery(url), 'the registry asks for credentials over plain HTTP');
    }
    const credentials = await this.#credentials(this.#registry);
    const query = new URLSearchParams(service === undefined ? {} : { service });
    for (const scope of scopes) query.append('scope', scope);
    const response =
      credentials !== undefined && 'identityToken' in credentials
        ? await this.#http.request(refreshRequest(url, query, credentials.identityToken))
        : await this.#http.request(tokenRequest(url, query, credentials));
    const body = await readAll(response.body, 1024 * 1024, url);
    if (response.status === 401 || response.status === 403) {
      throw denied(this.#registry, credentials === undefined ? 'it wants a login' : 'it refuses the credentials');
    }
    const answer = tokenShape.safeParse(response.status === 200 ? parseOrUndefined(body.toString('utf8')) : undefined);
    const token = answer.data?.token ?? answer.data?.access_token;
    if (token === undefined) throw noToken(response);
    // A little earlier than it says, so that no token ends on its way.
    return { token, end: Date.now() + ((answer.data?.expires_in ?? 60) - 10) * 1000 };
  }

  #failed(at: string, message: string): RegistryFault {
    const hint = `Ask whoever runs ${this.#registry}.`;
    return new RegistryFault('REGISTRY_FAILED', message, { at, hint });
  }
}

function noToken({ status, url }: HttpResponse): RegistryFault {
  return new RegistryFault('REGISTRY_FAILED', `no token came (status ${status})`, {
    at: withoutQuery(url),
    hint: 'The server that gives tokens for this registry fails; try again later.',
    retryAfter: status === 429 || status >= 500 ? 0 : undefined,
  });
}

/** A refusal, with what to do about it. */
export function denied(at: string, message: string): RegistryFault {
  return new RegistryFault('REGISTRY_DENIED', message, {
    at,
    hint: 'Log in with "nx-kraft pkg login" or "docker login", with an account that may do this.',
  });
}

const tokenShape = z.object({
  token: z.string().optional(),
  access_token: z.string().optional(),
  expires_in: z.number().optional(),
});

function tokenRequest(url: URL, query: URLSearchParams, credentials: Credentials | undefined) {
  const full = new URL(url);
  for (const [key, value] of query) full.searchParams.append(key, value);
  const headers = credentials !== undefined && 'username' in credentials ? { Authorization: basic(credentials) } : {};
  return { method: 'GET', url: full, headers } as const;
}

function refreshRequest(url: URL, query: URLSearchParams, identityToken: string) {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: 'nx-kraft',
    refresh_token: identityToken,
    service: query.get('service') ?? '',
    scope: query.getAll('scope').join(' '),
  });
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  return { method: 'POST', url, headers, body: Buffer.from(form.toString()) } as const;
}

function basic({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function keyOf({ parameters }: Challenge, scopes: readonly Scope[]): string {
  return [parameters['realm'], parameters['service'], ...scopes].join(' ');
}

/** `SCHEME key="value",key=value` (RFC 9110, section 11.6.1), the first scheme that is known. */
function parseChallenge(header: string): Challenge | undefined {
  const start = /(?:^|,)\s*(bearer|basic)(?:\s+|$)/i.exec(header);
  if (start?.[1] === undefined) return undefined;
  const rest = header.slice(start.index + start[0].length);
  const parameters: Record<string, string> = {};
  for (const match of rest.matchAll(/\s*([\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]*))\s*(?:,|$)/gy)) {
    parameters[(match[1] ?? '').toLowerCase()] = match[2]?.replaceAll(/\\(.)/g, '$1') ?? match[3] ?? '';
  }
  return { scheme: start[1].toLowerCase(), parameters };
}
