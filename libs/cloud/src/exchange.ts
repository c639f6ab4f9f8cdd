import * as http from 'node:http';
import * as https from 'node:https';
import { hasErrorCode } from '@nx-kraft/base';
import { CloudFault } from './fault.ts';

/** One HTTP request. */
export interface Exchange {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly bearer: string;
  /** Sent as JSON, with a GET too. */
  readonly body?: unknown;
  /** Milliseconds until the whole answer must be there. */
  readonly timeout: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

/** What no answer of the API comes near, in bytes. */
const mostBytes = 64 * 1024 * 1024;

/**
 * Makes a request and gives the whole answer, whatever its status. Not by `fetch`, which refuses bodies of GET requests.
 * Proxies are taken from HTTPS_PROXY and NO_PROXY where Node knows them (24.5 and newer).
 *
 * @throws CloudFault CLOUD_UNREACHABLE, CLOUD_TIMEOUT; never shows the token
 */
export function exchange({ method, url, bearer, body, timeout }: Exchange): Promise<Answer> {
  const at = `${method} ${url.origin}${url.pathname}`;
  const content = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const isPlain = url.protocol === 'http:';
  const options: https.RequestOptions = {
    method,
    headers: {
      Accept: 'application/json',
      Authorization: `Bearer ${bearer}`,
      'User-Agent': 'nx-kraft',
      ...(content === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': content.length }),
    },
    agent: isPlain ? new http.Agent() : new https.Agent({ proxyEnv: process.env }),
  };
  const deadline = AbortSignal.timeout(timeout);
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      if (deadline.aborted) reject(lateFault(at, timeout, method));
      else reject(error instanceof CloudFault ? error : unreachableFault(at, error, method));
    };
    const sent = (isPlain ? http : https).request(url, { ...options, signal: deadline }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size > mostBytes) response.destroy(new Error('the answer does not end'));
      });
      response.on('error', fail);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      });
    });
    sent.on('error', fail);
    sent.end(content);
  });
}

function lateFault(at: string, timeout: number, method: string): CloudFault {
  return new CloudFault('CLOUD_TIMEOUT', `there was no answer for ${timeout / 1000} seconds`, {
    at,
    hint: 'The metro or the network hangs; try again later.',
    retryAfter: method === 'GET' ? 0 : undefined,
  });
}

function unreachableFault(at: string, cause: Error, method: string): CloudFault {
  const isFinal = hasErrorCode(cause, 'ENOTFOUND', 'ERR_TLS_CERT_ALTNAME_INVALID', 'CERT_HAS_EXPIRED');
  return new CloudFault('CLOUD_UNREACHABLE', `the connection failed: ${cause.message}`, {
    at,
    hint: 'Check the name of the metro, and the network.',
    cause,
    retryAfter: method === 'GET' && !isFinal ? 0 : undefined,
  });
}
