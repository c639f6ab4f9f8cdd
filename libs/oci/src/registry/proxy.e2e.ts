import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startRegistry, type TestRegistry } from '../../test/registry.ts';
import { checkLogin, RegistryClient } from './client.ts';

// The registry listens on loopback, which needs no proxy; so it is asked for by a name that only the proxy knows.
let plain: TestRegistry;
let secure: TestRegistry;
let proxy: Server;
let address: string;
let client: RegistryClient;
const asked: string[] = [];

beforeAll(async () => {
  plain = await startRegistry();
  secure = await startRegistry({ tls: true });
  proxy = createServer((incoming, outgoing) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    const { pathname } = new URL(incoming.url ?? '');
    const [hostname, port] = plain.host.split(':');
    const forwarded = request({ hostname, port, path: pathname, headers: incoming.headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(forwarded);
  });
  proxy.on('connect', (incoming: IncomingMessage, socket, head) => {
    asked.push(`CONNECT ${incoming.url} ${incoming.headers['proxy-authorization'] ?? ''}`.trim());
    if (incoming.url?.startsWith('refused') === true) {
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
      return;
    }
    const [host, port] = secure.host.split(':');
    const target = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      target.write(head);
      target.pipe(socket).pipe(target);
    });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const own = proxy.address();
  address = typeof own === 'object' && own !== null ? `127.0.0.1:${own.port}` : '';
});
afterAll(async () => {
  await plain.stop();
  await secure.stop();
  proxy.closeAllConnections();
  proxy.close();
});
afterEach(() => client.close());

const nobody = () => Promise.resolve(undefined);

test('HTTPS goes through a tunnel, and the certificate is that of the registry', async () => {
  const environment = { HTTPS_PROXY: `http://me:p%40ss@${address}` };
  client = new RegistryClient({ credentials: nobody, insecure: ['registry.test'], environment });
  await checkLogin('registry.test', client);
  expect(asked).toContain(`CONNECT registry.test:443 Basic ${Buffer.from('me:p@ss').toString('base64')}`);
  client = new RegistryClient({ credentials: nobody, authorities: [secure.authority ?? ''], environment });
  await expect(checkLogin('registry.test', client)).rejects.toMatchObject({ code: 'REGISTRY_UNTRUSTED' });
});

test('plain HTTP is handed to the proxy whole', async () => {
  const environment = { HTTP_PROXY: address };
  client = new RegistryClient({ credentials: nobody, plainHttp: ['plain.test'], environment });
  await checkLogin('plain.test', client);
  expect(asked).toContain('GET http://plain.test/v2/');
});

test('a proxy that refuses, or is not there, is named', async () => {
  client = new RegistryClient({ credentials: nobody, environment: { HTTPS_PROXY: `http://${address}` } });
  await expect(checkLogin('refused.test', client)).rejects.toMatchObject({
    code: 'REGISTRY_UNREACHABLE',
    at: `http://${address}`,
    message: expect.stringContaining('refused.test:443 (403)') as string,
  });
  client = new RegistryClient({ credentials: nobody, environment: { HTTPS_PROXY: 'http://127.0.0.1:1' } });
  await expect(checkLogin('any.test', client)).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
});
