import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { Readable, Transform, type TransformCallback } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { FileFault, hasErrorCode, regularFile } from '@nx-kraft/base';
import { ComponentFault } from './fault.ts';
import { retrying } from './retry.ts';
import type { Store } from './store.ts';
import { hideCredentials } from './url.ts';

/** How a server tells versions of a file apart, to be sent back with the next request. */
export interface Validators {
  readonly etag?: string;
  readonly lastModified?: string;
}

export interface DownloadOptions {
  /** What came with the file when it was fetched before. */
  readonly validators?: Validators | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes the file at a URL (http, https, file) to a path. What may pass by itself is tried three times. Credentials that
 * the URL had are sent to its own host only, as basic authentication.
 *
 * @param url  without credentials
 * @returns its sha256 in hexadecimal; undefined when the server says that it is still the one of the validators
 * @throws ComponentFault COMPONENT_NOT_FOUND, COMPONENT_LOGIN, COMPONENT_UNREACHABLE
 */
export async function downloadFile(
  store: Store,
  url: string,
  path: string,
  options: DownloadOptions = {},
): Promise<{ readonly sha256: string; readonly validators: Validators } | undefined> {
  const attempt = async () => {
    const { body, validators } = await request(store, url, options);
    if (body === undefined) return undefined;
    const meter = new Sha256Meter();
    await pipeline(body, meter, createWriteStream(path), { signal: options.signal });
    return { sha256: meter.hash.digest('hex'), validators };
  };
  return retrying(attempt, mayPass, options.signal).catch((error: unknown) => {
    throw explain(error, url, options.signal);
  });
}

/** As {@link downloadFile}, but gives the file as text, and tries only once. */
export async function downloadText(
  store: Store,
  url: string,
  options: DownloadOptions = {},
): Promise<{ readonly text: string; readonly validators: Validators } | undefined> {
  try {
    const { body, validators } = await request(store, url, options);
    return body === undefined ? undefined : { text: await text(body), validators };
  } catch (error) {
    throw explain(error, url, options.signal);
  }
}

/** An answer that is no file. */
class StatusError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`the server answers with status ${status}`);
    this.status = status;
  }
}

async function request(
  store: Store,
  url: string,
  { validators = {}, signal }: DownloadOptions,
): Promise<{ readonly body: Readable | undefined; readonly validators: Validators }> {
  if (/^file:/i.test(url)) return { body: createReadStream(regularFile(fileURLToPath(url))), validators: {} };
  const { address, authorization } = withCredentials(store.credentials.get(url) ?? url);
  const headers: Record<string, string> = {
    'user-agent': 'nx-kraft',
    ...(authorization === undefined ? {} : { authorization }),
    ...(validators.etag === undefined ? {} : { 'if-none-match': validators.etag }),
    ...(validators.lastModified === undefined ? {} : { 'if-modified-since': validators.lastModified }),
  };
  const response = await store.network.fetch(address, { headers, signal: signal ?? null });
  const isAsked = validators.etag !== undefined || validators.lastModified !== undefined;
  if (response.status === 304 && isAsked) return { body: undefined, validators };
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new StatusError(response.status);
  }
  const etag = response.headers.get('etag');
  const lastModified = response.headers.get('last-modified');
  return {
    body: Readable.fromWeb(response.body),
    validators: { ...(etag === null ? {} : { etag }), ...(lastModified === null ? {} : { lastModified }) },
  };
}

function withCredentials(url: string): { readonly address: URL; readonly authorization?: string } {
  const address = new URL(url);
  const { username, password } = address;
  if (username === '' && password === '') return { address };
  address.username = '';
  address.password = '';
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { address, authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

/** Lets bytes through and counts them in. */
class Sha256Meter extends Transform {
  readonly hash = createHash('sha256');

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.hash.update(chunk);
    done(null, chunk);
  }
}

/** Busy servers and broken connections; not names and ports where nobody is. */
function mayPass(error: unknown): boolean {
  if (error instanceof StatusError) return [429, 500, 502, 503, 504].includes(error.status);
  const reason = reasonOf(error);
  const codes = ['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'UND_ERR_SOCKET', 'UND_ERR_BODY_TIMEOUT'];
  return hasErrorCode(reason, ...codes, 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT');
}

/** `fetch` says «fetch failed» or «terminated» only; the reason is in its cause. */
function reasonOf(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? error.cause : error;
}

function explain(error: unknown, url: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true) return signal.reason;
  if (error instanceof FileFault || hasErrorCode(error, 'ENOSPC', 'EDQUOT', 'EACCES', 'EROFS')) return error;
  const at = hideCredentials(url);
  if (error instanceof StatusError) return explainStatus(error, at);
  if (hasErrorCode(error, 'ENOENT', 'EISDIR')) {
    return new ComponentFault('COMPONENT_NOT_FOUND', 'there is no such file', { at });
  }
  const reason = reasonOf(error);
  const told = reason instanceof Error ? reason.message || reason.name : String(reason);
  return new ComponentFault('COMPONENT_UNREACHABLE', `it cannot be fetched: ${hideCredentials(told)}`, {
    at,
    hint: 'Check the network, or use --offline with what is in the store.',
  });
}

function explainStatus({ status, message }: StatusError, at: string): ComponentFault {
  if (status === 401 || status === 403) {
    return new ComponentFault('COMPONENT_LOGIN', message, { at, hint: 'It wants a login, or another one.' });
  }
  const isMissing = status === 404 || status === 410;
  const hint = isMissing ? 'Check the URL.' : 'Try again later, or use --offline with what is in the store.';
  return new ComponentFault(isMissing ? 'COMPONENT_NOT_FOUND' : 'COMPONENT_UNREACHABLE', message, { at, hint });
}
