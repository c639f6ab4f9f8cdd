import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Metro, Token } from './access.ts';
import { type Answer, exchange, type Exchange } from './exchange.ts';
import { CloudFault, type Refusal } from './fault.ts';
import { errorName, refusedFault } from './refusals.ts';

/** A name or a UUID; what looks like a UUID is one. */
export type Id = string;

/** What a GET asks for: a value for all, or one for each thing that it names. */
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface ApiOptions {
  /** Milliseconds that a request may take, beside the time that it asks the API to wait (default 30,000). */
  readonly timeout?: number;
  /** How often a request is made again that may be (default 4). */
  readonly retries?: number;
  /** Milliseconds before the first of them, doubled for each more (default 250). */
  readonly pause?: number;
}

interface Call {
  readonly method: Exchange['method'];
  readonly path: string;
  readonly body?: unknown;
  readonly query?: URLSearchParams;
  /** Milliseconds that the API was asked to wait. */
  readonly wait?: number;
}

const envelopeShape = z.looseObject({
  status: z.enum(['success', 'partial_success', 'error']),
  message: z.string().optional(),
  errors: z.array(z.looseObject({ status: z.number().optional(), message: z.string().optional() })).nullish(),
  data: z.record(z.string(), z.unknown()).nullish(),
});

const failedItemShape = z.looseObject({
  status: z.literal('error'),
  error: z.number().default(0),
  message: z.string().default(''),
  name: z.string().optional(),
  uuid: z.string().optional(),
});

/** How many things are asked for at once where the API gives pages, and how many it surely gives if it has them. */
const pageSize = 500;
const surePage = 100;

const longestPause = 20_000;

/**
 * Requests to the API of one metro: envelopes are opened and checked, what may be asked again is, and whatever is
 * refused is a {@link CloudFault} with the API's codes and words.
 *
 * Made again are all requests that the API turned away unread (429), and of the others only those that read.
 */
export class Api {
  readonly metro: Metro;
  readonly #token: Token;
  readonly #options: ApiOptions;
  /** How many requests were made. */
  requests = 0;

  constructor(metro: Metro, token: Token, options: ApiOptions = {}) {
    this.metro = metro;
    this.#token = token;
    this.#options = options;
  }

  /**
   * Reads things.
   *
   * @param path   `/instances`, `/instances/log` and so on
   * @param key    under which the API gives them
   * @param ids    which ones; none: all, page by page where the API has pages
   * @param fields for each of them
   */
  async read<T>(path: string, key: string, shape: z.ZodType<T>, ids: readonly Id[], fields: Fields = {}): Promise<T[]> {
    const wait = Number(fields.timeout_ms ?? 0);
    if (this.metro.selection === 'body') {
      const body = ids.length === 0 ? undefined : ids.map((id) => ({ ...reference(id), ...defined(fields) }));
      return this.#items({ method: 'GET', path, body, wait }, key, shape);
    }
    if (ids.length > 0) return this.#items({ method: 'GET', path, query: selection(ids, fields), wait }, key, shape);
    return this.#pages(path, key, shape, fields);
  }

  /** Reads what has no names: quotas, images by tag or digest. */
  async readBy<T>(path: string, key: string, shape: z.ZodType<T>, fields: Fields): Promise<T[]> {
    if (this.metro.selection === 'query') {
      return this.#items({ method: 'GET', path, query: selection([], fields) }, key, shape);
    }
    const given = defined(fields);
    const body = Object.keys(given).length === 0 ? undefined : [given];
    return this.#items({ method: 'GET', path, body }, key, shape);
  }

  /** Changes things: sends a body, and gives what the API says of each. */
  async write<T>(
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    key: string,
    shape: z.ZodType<T>,
    body: unknown,
    { wait = 0 }: { wait?: number } = {},
  ): Promise<T[]> {
    return this.#items({ method, path, body, wait }, key, shape);
  }

  async #pages<T>(path: string, key: string, shape: z.ZodType<T>, fields: Fields): Promise<T[]> {
    const found = new Map<string, T>();
    for (let from: string | undefined; ;) {
      const query = selection([], { ...fields, details: true, count: pageSize, from });
      const items = await this.#items({ method: 'GET', path, query }, key, z.looseObject({ uuid: z.string() }));
      const known = found.size;
      for (const item of items) found.set(item.uuid, parse(shape, item, path));
      from = items.at(-1)?.uuid;
      // A page may be shorter than asked for and yet not be the last; one that brings nothing new is.
      if (items.length < surePage || found.size === known) return [...found.values()];
    }
  }

  async #items<T>(call: Call, key: string, shape: z.ZodType<T>): Promise<T[]> {
    const at = `${call.method} ${this.metro.name}${call.path}`;
    const answer = await this.#ask(call);
    const envelope = parseEnvelope(answer, at);
    const items = envelope.data?.[key] ?? [];
    if (!Array.isArray(items)) throw notUnderstood(at, `it has no list of ${key}`);
    const refusals = items.map((item) => refusalOf(item)).filter((refusal) => refusal !== undefined);
    if (envelope.status !== 'success' || refusals.length > 0 || answer.status !== 200) {
      throw refusedFault(at, refusals, {
        isPartial: envelope.status === 'partial_success' || (refusals.length > 0 && refusals.length < items.length),
        fallback: `${envelope.message ?? 'the request was refused'} (status ${answer.status})`,
      });
    }
    return items.map((item) => parse(shape, item, at));
  }

  async #ask(call: Call): Promise<Answer> {
    const { retries = 4, pause = 250 } = this.#options;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#askOnce(call);
      } catch (error) {
        if (!(error instanceof CloudFault) || error.retryAfter === undefined || attempt >= retries) throw error;
        // Some chance, so that many who failed together do not come back together.
        const length = Math.max(error.retryAfter, pause * 2 ** attempt * (0.75 + Math.random() / 2));
        await sleep(Math.min(length, longestPause));
      }
    }
  }

  async #askOnce({ method, path, body, query, wait = 0 }: Call): Promise<Answer> {
    const { timeout = 30_000 } = this.#options;
    const url = new URL(`${this.metro.url}${path}`);
    if (query !== undefined) url.search = query.toString();
    this.requests++;
    const answer = await exchange({ method, url, bearer: this.#token.bearer, body, timeout: timeout + wait });
    const at = `${method} ${this.metro.name}${path}`;
    if (answer.status === 401 || answer.status === 403) throw deniedFault(at, answer);
    if (answer.status === 429) {
      throw new CloudFault('CLOUD_RATE_LIMITED', 'the API is asked too often', {
        at,
        hint: 'Wait a little, and ask for less at once.',
        retryAfter: secondsOf(answer.headers['retry-after']) * 1000,
      });
    }
    if (answer.status >= 500 && method === 'GET') {
      const said = messageOf(answer);
      throw new CloudFault('CLOUD_UNREACHABLE', `the API fails with status ${answer.status}${said}`, {
        at,
        hint: 'Try again later.',
        retryAfter: secondsOf(answer.headers['retry-after']) * 1000,
      });
    }
    return answer;
  }
}

/** How the API wants to be told of a thing. */
export function reference(id: Id): { readonly uuid: string } | { readonly name: string } {
  return isUuid(id) ? { uuid: id } : { name: id };
}

export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

/** One thing as it must be, for the API's fields that are used; others are let through. */
function parse<T>(shape: z.ZodType<T>, item: unknown, at: string): T {
  const result = shape.safeParse(item);
  if (result.success) return result.data;
  throw notUnderstood(at, z.prettifyError(result.error));
}

function parseEnvelope(answer: Answer, at: string): z.infer<typeof envelopeShape> {
  const envelope = envelopeShape.safeParse(parseJson(answer.text));
  if (envelope.success) return envelope.data;
  if (answer.status !== 200) {
    throw new CloudFault('CLOUD_REFUSED', `the API answers with status ${answer.status}${messageOf(answer)}`, {
      at,
      hint: 'Check the metro; it may not know this request.',
    });
  }
  throw notUnderstood(at, z.prettifyError(envelope.error));
}

function refusalOf(item: unknown): Refusal | undefined {
  const { success, data } = failedItemShape.safeParse(item);
  if (!success) return undefined;
  const { error, message, name, uuid } = data;
  return { error, name: errorName(error), message, subject: name ?? uuid };
}

function deniedFault(at: string, answer: Answer): CloudFault {
  return new CloudFault('CLOUD_DENIED', `the token is refused${messageOf(answer)}`, {
    at,
    hint: 'Check that UKC_TOKEN is the whole token, is not revoked, and may do this.',
  });
}

function notUnderstood(at: string, why: string): CloudFault {
  return new CloudFault('CLOUD_NOT_UNDERSTOOD', `the answer is not understood: ${why}`, {
    at,
    hint: 'The API may be newer than this version of nx-kraft.',
  });
}

/** What the API said, as the end of a sentence. */
function messageOf(answer: Answer): string {
  const { data } = z.looseObject({ message: z.string() }).safeParse(parseJson(answer.text));
  return data === undefined || data.message === '' ? '' : `: ${data.message}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function secondsOf(header: string | undefined): number {
  const seconds = Number(header ?? 0);
  return Number.isFinite(seconds) && seconds > 0 ? seconds : 0;
}

function selection(ids: readonly Id[], fields: Fields): URLSearchParams {
  const query = new URLSearchParams();
  for (const id of ids) query.append(isUuid(id) ? 'uuid' : 'name', id);
  for (const [name, value] of Object.entries(defined(fields))) query.set(name, String(value));
  return query;
}

function defined(fields: Fields): Record<string, string | number | boolean> {
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, string | number | boolean] => entry[1] !== undefined),
  );
}
