import { CloudFault } from './fault.ts';
import { type Handler, handlers, type Port } from './shapes.ts';

/**
 * Ports as people write them: `EXTERNAL:INTERNAL[/HANDLER+HANDLER]`, as for `kraft cloud deploy --port`. `443:8080`
 * stands for HTTPS, with what comes to port 80 sent there unless port 80 is given, too; `80:8080` for HTTP; and any other
 * port for TLS.
 *
 * @throws CloudFault CLOUD_BAD_INPUT
 */
export function parsePorts(texts: readonly string[]): readonly Port[] {
  const ports = texts.map(parsePort);
  const twice = ports.find(({ port }, index) => ports.findIndex((other) => other.port === port) !== index);
  if (twice !== undefined) throw badPort(String(twice.port), 'it is given twice');
  const isRedirected = texts.some((text) => /^443(:\d+)?$/.test(text)) && !ports.some(({ port }) => port === 80);
  return [...ports, ...(isRedirected ? [redirect] : [])];
}

const redirect: Port = { port: 80, destination_port: 443, handlers: ['http', 'redirect'] };

/** The handlers of ports that are written without. */
const usual: Readonly<Record<number, readonly Handler[]>> = { 80: ['http'], 443: ['http', 'tls'] };

function parsePort(text: string): Port {
  const match = /^(\d+)(?::(\d+))?(?:\/([a-z+]+))?$/.exec(text);
  if (match === null) throw badPort(text, 'it is not EXTERNAL:INTERNAL[/HANDLER+HANDLER]');
  const [, external = '', internal = external, words] = match;
  const port = checkNumber(external, text);
  const destination = checkNumber(internal, text);
  const found =
    words === undefined ? (usual[port] ?? ['tls']) : words.split('+').map((word) => readHandler(word, text));
  checkHandlers(text, port, destination, found);
  return { port, destination_port: destination, handlers: found.toSorted() };
}

function readHandler(word: string, text: string): Handler {
  const handler = handlers.find((known) => known === word);
  if (handler === undefined) throw badPort(text, `there is no handler '${word}', but ${handlers.join(', ')}`);
  return handler;
}

function checkHandlers(text: string, port: number, destination: number, found: readonly Handler[]): void {
  if (port === 80 && found.includes('tls')) throw badPort(text, 'port 80 cannot have tls');
  if (found.includes('redirect') && (port !== 80 || destination !== 443)) {
    throw badPort(text, 'only port 80 can redirect, and to 443');
  }
}

function checkNumber(text: string, whole: string): number {
  const port = Number(text);
  if (port < 1 || port > 65_535) throw badPort(whole, 'ports go from 1 to 65535');
  return port;
}

function badPort(text: string, why: string): CloudFault {
  return new CloudFault('CLOUD_BAD_INPUT', `'${text}' cannot be a port: ${why}`, {
    hint: 'Write for example 443:8080, 80:443/http+redirect or 5432:5432/tls.',
  });
}
