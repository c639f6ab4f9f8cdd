import { once } from 'node:events';
import { createReadStream, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream';

/** A registry while it runs. */
export interface LayoutServer {
  /** Such as `127.0.0.1:40123`. Builders take such an address without TLS. */
  readonly host: string;
  readonly close: () => void;
}

/**
 * Serves what OCI image layouts have as a registry on this machine, to be read by digest (OCI distribution specification,
 * section "Pull"). Other users of the machine can read it too if they know a digest.
 *
 * @param folders  of the layouts
 */
export async function serveLayouts(folders: readonly string[]): Promise<LayoutServer> {
  const server = createServer((request, response) => answer(folders, request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

function answer(folders: readonly string[], request: IncomingMessage, response: ServerResponse): void {
  if (request.url === '/v2/') {
    response.end();
    return;
  }
  const [, kind, hex = ''] = /^\/v2\/[\w/-]+\/(manifests|blobs)\/sha256:([0-9a-f]{64})$/.exec(request.url ?? '') ?? [];
  const paths = folders.map((folder) => join(folder, 'blobs/sha256', hex));
  const path = hex === '' ? undefined : paths.find((one) => sizeOf(one) !== undefined);
  if (path === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, {
    'content-type': kind === 'blobs' ? 'application/octet-stream' : 'application/vnd.oci.image.manifest.v1+json',
    'content-length': sizeOf(path),
    'docker-content-digest': `sha256:${hex}`,
  });
  if (request.method === 'HEAD') response.end();
  // Who goes away in the middle tells of it himself.
  else pipeline(createReadStream(path), response, () => undefined);
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}
