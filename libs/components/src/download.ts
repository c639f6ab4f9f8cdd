import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { Readable, Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { hasErrorCode } from '@nx-kraft/base';
import { ComponentFault } from './fault.ts';
import type { Store } from './store.ts';
import { hideCredentials } from './url.ts';

/** How a server tells versions of a file apart, to be sent back with the next request. */
export interface Validators {
  readonly etag?: string;
  readonly lastModified?: string;
}

/** Bytes from a URL; without a body when they are still those of the validators. */
export interface Answer {
  readonly body: Readable | undefined;
  readonly validators: Validators;
}

/**
 * Asks for a file by its http(s) or file URL. Credentials that the URL had are sent to its own host only, as basic
 * authentication.
 *
 * @param url  without credentials
 * @throws ComponentFault COMPONENT_NOT_FOUND, COMPONENT_UNREACHABLE
 */
export async function requestFile(
  store: Store,
  url: string,
  { validators = {}, signal }: { validators?: Validators; signal?: AbortSignal | undefined },
): Promise<Answer> {
  if (/^file:/i.test(url)) return { body: createReadStream(fileURLToPath(url)), validators: {} };
  const { address, authorization } = withCredentials(store.credentials.get(url) ?? url);
  const headers: Record<string, string> = {
    'user-agent': 'nx-kraft',
    ...(authorization === undefined ? {} : { authorization }),
    ...(validators.etag === undefined ? {} : { 'if-none-match': validators.etag }),
    ...(validators.lastModified === undefined ? {} : { 'if-modified-since': validators.lastModified }),
  };
  const response = await store.network.fetch(address, { headers, signal: signal ?? null }).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw unreachable(url, error);
  });
  if (response.status === 304) return { body: undefined, validators };
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw refused(url, response.status);
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

/**
 * Writes what a request answers to a file.
 *
 * @returns its sha256, in hexadecimal
 */
export async function writeAnswer(
  body: Readable,
  path: string,
  url: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const meter = new Sha256Meter();
  try {
    await pipeline(body, meter, createWriteStream(path), { signal });
  } catch (error) {
    signal?.throwIfAborted();
    if (hasErrorCode(error, 'ENOSPC', 'EDQUOT', 'EACCES', 'EROFS')) throw error;
    throw unreachable(url, error);
  }
  return meter.hash.digest('hex');
}

/** Lets bytes through and counts them in. */
class Sha256Meter extends Transform {
  readonly hash = createHash('sha256');

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.hash.update(chunk);
    done(null, chunk);
  }
}

function unreachable(url: string, error: unknown): ComponentFault {
  if (hasErrorCode(error, 'ENOENT', 'EISDIR')) {
    return new ComponentFault('COMPONENT_NOT_FOUND', 'there is no such file', { at: hideCredentials(url) });
  }
  // fetch says «fetch failed» only; the reason is in its cause.
  const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const text = reason instanceof Error ? reason.message || reason.name : String(reason);
  return new ComponentFault('COMPONENT_UNREACHABLE', `it cannot be fetched: ${hideCredentials(text)}`, {
    at: hideCredentials(url),
    hint: 'Check the network, or use --offline with what is in the store.',
  });
}

function refused(url: string, status: number): ComponentFault {
  const missing = status === 404 || status === 410;
  const hint = status === 401 || status === 403 ? 'The server wants a login.' : 'Check the URL.';
  return new ComponentFault(
    missing ? 'COMPONENT_NOT_FOUND' : 'COMPONENT_UNREACHABLE',
    `the server answers with status ${status}`,
    { at: hideCredentials(url), hint },
  );
}
