import { hasErrorCode } from '@nx-kraft/base';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { largestDocument } from '../decode.ts';
import { type Digest, digestMismatch, digestOf, isDigest, verified } from '../digest.ts';
import { mediaTypes } from '../media-types.ts';
import type { Descriptor } from '../model.ts';
import { repositoryName, type Reference } from '../reference.ts';
import { pauseBefore } from '../retry.ts';
import type { Blob, ImageSource } from '../source.ts';
import type { RegistryClient, RegistryRequest } from './client.ts';
import { RegistryFault } from './fault.ts';
import { asFault, type HttpResponse, withoutQuery } from './http.ts';
import { readAll } from './read-all.ts';

/** A document, and what names it. */
export interface Resolved {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

/** Bytes from which on a connection of its own pays. */
const large = 1024 * 1024;

const acceptedTypes = [mediaTypes.index, mediaTypes.manifest, mediaTypes.dockerIndex, mediaTypes.dockerManifest];

/** One repository of a registry. */
export class Repository implements ImageSource {
  readonly name: string;
  readonly #client: RegistryClient;
  readonly #registry: string;
  readonly #path: string;

  constructor(client: RegistryClient, reference: Reference) {
    this.name = repositoryName(reference);
    this.#client = client;
    this.#registry = reference.registry;
    this.#path = reference.repository;
  }

  /**
   * The index or manifest behind a tag or digest.
   *
   * @throws RegistryFault; OciFault DIGEST_MISMATCH
   */
  async resolve(tagOrDigest: string): Promise<Resolved> {
    const response = await this.#get(`manifests/${tagOrDigest}`, { Accept: acceptedTypes.join(', ') });
    const bytes = await readAll(response.body, largestDocument, response.url);
    const announced = response.headers['docker-content-digest'];
    const expected = isDigest(tagOrDigest) ? tagOrDigest : announced;
    const digest = digestOf(bytes);
    if (typeof expected === 'string' && isDigest(expected) && expected !== digest) {
      throw digestMismatch(expected, digest, withoutQuery(response.url));
    }
    const mediaType = String(response.headers['content-type'] ?? '').replace(/;.*/, '');
    return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
  }

  async readManifest(digest: Digest): Promise<Buffer> {
    return (await this.resolve(digest)).bytes;
  }

  async readBlob(digest: Digest): Promise<Buffer> {
    const response = await this.#get(`blobs/${digest}`, {});
    return verified(await readAll(response.body, largestDocument, response.url), digest, withoutQuery(response.url));
  }

  async openBlob(digest: Digest, offset: number, size = 0): Promise<AsyncIterable<Buffer>> {
    const headers: Record<string, string> = offset === 0 ? {} : { Range: `bytes=${offset}-` };
    const request = { ...this.#request('GET', `blobs/${digest}`, 'pull', headers), isLarge: size - offset > large };
    const response = await this.#client.request(this.#registry, request, offset === 0 ? [200] : [200, 206]);
    return bytesFrom(response, response.status === 206 ? 0 : offset);
  }

  /** Digest behind a tag or digest; undefined when there is none. */
  async digestOf(tagOrDigest: string): Promise<Digest | undefined> {
    const request = this.#request('HEAD', `manifests/${tagOrDigest}`, 'pull', { Accept: acceptedTypes.join(', ') });
    const response = await this.#client.request(this.#registry, request, [200, 404]);
    response.body.resume();
    const digest = response.headers['docker-content-digest'];
    if (response.status === 404) return undefined;
    return typeof digest === 'string' && isDigest(digest)
      ? digest
      : (await this.resolve(tagOrDigest)).descriptor.digest;
  }

  /** Removes an index or manifest with all of its names; the registry frees its blobs when it cares to. */
  async remove(digest: Digest): Promise<void> {
    const request = this.#request('DELETE', `manifests/${digest}`, 'pull,push,delete');
    const response = await this.#client.request(this.#registry, request, [200, 202]);
    response.body.resume();
  }

  async hasBlob(digest: Digest): Promise<boolean> {
    const request = this.#request('HEAD', `blobs/${digest}`, 'pull,push');
    const response = await this.#client.request(this.#registry, request, [200, 404]);
    response.body.resume();
    return response.status === 200;
  }

  /**
   * Sees that the repository has a blob: sends it, unless it is there or can be mounted from another repository of the
   * same registry.
   *
   * @param open  gives the blob's bytes from an offset on
   * @param others  repositories that are known to have it
   */
  async upload(
    blob: Blob,
    open: (offset: number) => Promise<AsyncIterable<Buffer>>,
    others: readonly string[] = [],
  ): Promise<'there' | 'mounted' | 'sent'> {
    if (await this.hasBlob(blob.digest)) return 'there';
    for (const other of others.filter((name) => name !== this.#path).slice(0, 2)) {
      if (await this.#mount(blob.digest, other)) return 'mounted';
    }
    for (let failures = 0; ;) {
      try {
        const session = await this.#startUpload();
        const rest = await this.#sendPieces(blob, session, open);
        await this.#finishUpload(blob, rest.session, rest.offset, open);
        return 'sent';
      } catch (error) {
        await sleep(pauseBefore(++failures, error));
      }
    }
  }

  /** Puts an index or manifest at a tag or its digest. Gives whether the registry took note of its subject. */
  async putManifest(tagOrDigest: string, bytes: Buffer, mediaType: string): Promise<boolean> {
    const request = this.#request('PUT', `manifests/${tagOrDigest}`, 'pull,push', { 'Content-Type': mediaType }, bytes);
    const response = await this.#client.request(this.#registry, request, [200, 201, 202]);
    response.body.resume();
    return response.headers['oci-subject'] !== undefined;
  }

  /** All tags, in the order in which the registry gives them. */
  tags(): Promise<readonly string[]> {
    const path = `${this.#path}/tags/list`;
    return this.#client.pages(this.#registry, path, [this.#scope('pull')], (page) => tagsPage.parse(page).tags);
  }

  /** The index of what refers to a digest (distribution-spec 1.1); undefined when the registry does not keep one. */
  async referrers(digest: Digest): Promise<Buffer | undefined> {
    const request = this.#request('GET', `referrers/${digest}`, 'pull', { Accept: mediaTypes.index });
    const response = await this.#client.request(this.#registry, request, [200, 404]);
    const bytes = await readAll(response.body, largestDocument, response.url);
    const isIndex = String(response.headers['content-type'] ?? '').startsWith(mediaTypes.index);
    return response.status === 200 && isIndex ? bytes : undefined;
  }

  /** Gives false when the registry cannot or will not: what is known of other repositories may be wrong by now. */
  async #mount(digest: Digest, other: string): Promise<boolean> {
    const query = new URLSearchParams({ mount: digest, from: other });
    const request = this.#request('POST', `blobs/uploads/?${query.toString()}`, 'pull,push');
    const scopes = [...request.scopes, `repository:${other}:pull`];
    try {
      const response = await this.#client.request(this.#registry, { ...request, scopes }, [201, 202]);
      response.body.resume();
      return response.status === 201;
    } catch (error) {
      if (hasErrorCode(error, 'REGISTRY_DENIED', 'REGISTRY_MISSING')) return false;
      throw error;
    }
  }

  async #startUpload(): Promise<URL> {
    const response = await this.#client.request(
      this.#registry,
      this.#request('POST', 'blobs/uploads/', 'pull,push'),
      [202],
    );
    response.body.resume();
    return sessionOf(response);
  }

  /** Sends all but the last piece by PATCH, if pieces are wanted. */
  async #sendPieces(
    { size }: Blob,
    session: URL,
    open: (offset: number) => Promise<AsyncIterable<Buffer>>,
  ): Promise<{ session: URL; offset: number }> {
    const chunkSize = this.#client.chunkSize ?? size;
    let offset = 0;
    let failures = 0;
    while (size - offset > chunkSize) {
      try {
        session = await this.#sendPiece(session, offset, chunkSize, open);
        offset += chunkSize;
        failures = 0;
      } catch (error) {
        await sleep(pauseBefore(++failures, error));
        ({ session, offset } = await this.#askProgress(session));
      }
    }
    return { session, offset };
  }

  async #sendPiece(
    session: URL,
    offset: number,
    length: number,
    open: (offset: number) => Promise<AsyncIterable<Buffer>>,
  ): Promise<URL> {
    const headers = {
      'Content-Type': 'application/octet-stream',
      'Content-Length': String(length),
      'Content-Range': `${offset}-${offset + length - 1}`,
    };
    const body = firstBytes(await open(offset), length);
    const request = { method: 'PATCH', path: session, scopes: [this.#scope('pull,push')], headers, body } as const;
    const response = await this.#client.requestOnce(this.#registry, request, [202]);
    response.body.resume();
    return sessionOf(response);
  }

  async #askProgress(session: URL): Promise<{ session: URL; offset: number }> {
    const request = { method: 'GET', path: session, scopes: [this.#scope('pull,push')] } as const;
    const response = await this.#client.request(this.#registry, request, [204, 404]);
    response.body.resume();
    // Docker's registry forgets a session whose piece broke off: the upload begins again.
    if (response.status === 404) throw uploadLost(response.url);
    const range = /^(?:bytes=)?0-(\d+)$/.exec(String(response.headers['range'] ?? ''));
    return { session: sessionOf(response), offset: range?.[1] === undefined ? 0 : Number(range[1]) + 1 };
  }

  async #finishUpload(
    { digest, size }: Blob,
    session: URL,
    offset: number,
    open: (offset: number) => Promise<AsyncIterable<Buffer>>,
  ): Promise<void> {
    const path = new URL(session);
    path.searchParams.set('digest', digest);
    const headers = {
      'Content-Type': 'application/octet-stream',
      'Content-Length': String(size - offset),
      ...(offset === 0 ? {} : { 'Content-Range': `${offset}-${size - 1}` }),
    };
    const body = await open(offset);
    const request = { method: 'PUT', path, scopes: [this.#scope('pull,push')], headers, body } as const;
    const response = await this.#client.requestOnce(this.#registry, request, [201, 204]);
    response.body.resume();
  }

  #get(path: string, headers: Readonly<Record<string, string>>): Promise<HttpResponse> {
    return this.#client.request(this.#registry, this.#request('GET', path, 'pull', headers), [200]);
  }

  #request(
    method: RegistryRequest['method'],
    path: string,
    actions: string,
    headers: Readonly<Record<string, string>> = {},
    body?: Buffer,
  ): RegistryRequest {
    return {
      method,
      path: `${this.#path}/${path}`,
      scopes: [this.#scope(actions)],
      headers,
      ...(body === undefined ? {} : { body }),
    };
  }

  #scope(actions: string): string {
    return `repository:${this.#path}:${actions}`;
  }
}

const tagsPage = z.object({ tags: z.array(z.string()).default([]) });

/** Where an upload goes on; the address may be relative to the last one and has the session's state in its query. */
function sessionOf({ headers, url }: HttpResponse): URL {
  const { location } = headers;
  if (location !== undefined) return new URL(location, url);
  throw new RegistryFault('REGISTRY_FAILED', 'the registry does not say where an upload goes on', {
    at: withoutQuery(url),
    hint: 'This is a fault of the registry, or of a proxy before it.',
  });
}

function uploadLost(url: URL): RegistryFault {
  return new RegistryFault('REGISTRY_FAILED', 'the registry lost what was uploaded so far', {
    at: withoutQuery(url),
    hint: 'Try again; if it stays so, push without a chunk size.',
    retryAfter: 0,
  });
}

/** A body without its first bytes, its errors as faults. */
async function* bytesFrom({ body, url }: HttpResponse, skip: number): AsyncGenerator<Buffer> {
  let left = skip;
  try {
    for await (const chunk of body) {
      if (left < chunk.length) yield left === 0 ? chunk : chunk.subarray(left);
      left = Math.max(0, left - chunk.length);
    }
  } catch (error) {
    throw error instanceof Error ? asFault(error, url) : error;
  }
}

async function* firstBytes(source: AsyncIterable<Buffer>, length: number): AsyncGenerator<Buffer> {
  let left = length;
  for await (const chunk of source) {
    const part = chunk.subarray(0, left);
    left -= part.length;
    yield part;
    if (left === 0) return;
  }
}
