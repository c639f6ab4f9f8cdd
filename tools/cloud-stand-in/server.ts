import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Faults, faultShape, type StandInFault } from './faults.ts';
import { type Reference, Refused } from './state.ts';
import { each, type Items, World, type WorldOptions } from './world.ts';

export interface StandInOptions extends WorldOptions {
  readonly port?: number;
  /** The token that is let in (default: see {@link standInToken}). */
  readonly token?: string;
  /** How what a GET selects is told: `body`, `query`, or both (default). */
  readonly selection?: 'body' | 'query';
  /** The most things that one answer lists; all when left out, as the first generation has it. */
  readonly page?: number;
}

/** What was asked. */
export interface StandInRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body?: unknown;
}

export interface StandIn {
  /** To be given as a metro. */
  readonly url: string;
  readonly world: World;
  readonly faults: Faults;
  readonly requests: StandInRequest[];
  close(): Promise<void>;
}

/** A token for an account called `me`. */
export const standInToken = Buffer.from('robot$me.users.kraftcloud:stand-in').toString('base64');

/** Starts a server on loopback that pretends to be the API of a metro of Unikraft Cloud. */
export async function startStandIn(options: StandInOptions = {}): Promise<StandIn> {
  const world = new World(options);
  const faults = new Faults();
  const requests: StandInRequest[] = [];
  const server = createServer((request, response) => {
    answer({ request, response, world, faults, requests, options }).catch((error: unknown) => {
      response.writeHead(500).end(JSON.stringify({ status: 'error', message: String(error) }));
    });
  });
  await new Promise<void>((done) => server.listen(options.port ?? 0, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}/v1`,
    world,
    faults,
    requests,
    close: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly world: World;
  readonly faults: Faults;
  readonly requests: StandInRequest[];
  readonly options: StandInOptions;
}

async function answer(exchange: Exchange): Promise<void> {
  const { request, response, faults, requests, options } = exchange;
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://stand-in');
  const method = request.method ?? 'GET';
  const content = await text(request);
  if (pathname.startsWith('/stand-in/')) return control(exchange, pathname, content);
  const path = pathname.replace(/^\/v1/, '');
  const body = content === '' ? undefined : (JSON.parse(content) as unknown);
  requests.push({ method, path, query: searchParams.toString(), ...(body === undefined ? {} : { body }) });
  const fault = faults.take(method, path);
  if (fault?.delay !== undefined) await sleep(fault.delay);
  if (request.headers.authorization !== `Bearer ${options.token ?? standInToken}`) {
    return send(response, 401, { status: 'error', message: 'Unauthorized', errors: [{ status: 401 }] });
  }
  if (fault?.status !== undefined) {
    if (fault.retryAfter !== undefined) response.setHeader('Retry-After', String(fault.retryAfter));
    return send(response, fault.status, {
      status: 'error',
      message: fault.message,
      errors: [{ status: fault.status }],
    });
  }
  const outcome = await perform(exchange, { method, path, body, query: searchParams }, fault);
  if (fault?.after === 'drop') response.destroy();
  else if (fault?.after === 'garbage') response.end('{"status":');
  else send(response, outcome.status, outcome.body);
}

/** For tests and people: faults, images and what was asked. */
function control({ response, world, faults, requests }: Exchange, pathname: string, content: string): void {
  if (pathname === '/stand-in/faults') {
    faults.clear();
    for (const fault of JSON.parse(content) as unknown[]) faults.add(faultShape.parse(fault));
  } else if (pathname === '/stand-in/images') {
    for (const image of JSON.parse(content) as string[]) world.images.add(image);
  } else if (pathname === '/stand-in/requests') {
    return send(response, 200, requests.splice(0));
  } else return send(response, 404, {});
  return send(response, 200, {});
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly query: URLSearchParams;
}

async function perform(
  exchange: Exchange,
  call: Call,
  fault: StandInFault | undefined,
): Promise<{ status: number; body: unknown }> {
  try {
    if (fault?.error !== undefined) throw new RefusedByOrder(fault.error, fault.message);
    const [key, items] = await dispatch(exchange, call);
    const failed = items.filter((item) => item.status === 'error').length;
    const status = failed === 0 ? 'success' : failed < items.length ? 'partial_success' : 'error';
    const errors = failed === 0 ? {} : { errors: [{ status: 404 }] };
    const data = { [key]: items.map((item) => ({ status: 'success', ...item })) };
    return { status: status === 'error' ? 404 : 200, body: { status, ...errors, data, op_time_us: 10 } };
  } catch (error) {
    if (!(error instanceof Refused || error instanceof RefusedByOrder)) throw error;
    const item = { status: 'error', error: error.error, message: error.message };
    const data = { [keyOf(call.path)]: [item] };
    return {
      status: 400,
      body: { status: 'error', message: 'Failed', errors: [{ status: 400 }], data, op_time_us: 10 },
    };
  }
}

class RefusedByOrder extends Error {
  readonly error: number;

  constructor(error: number, message: string) {
    super(message);
    this.error = error;
  }
}

function keyOf(path: string): string {
  const first = path.split('/')[1] ?? '';
  if (path.includes('/policies')) return 'policies';
  return { services: 'service_groups', users: 'quotas' }[first] ?? first;
}

async function dispatch({ world, options }: Exchange, call: Call): Promise<readonly [string, Items]> {
  const { method, path, body } = call;
  const key = keyOf(path);
  const policy = /^\/services\/([^/]+)\/autoscale\/policies(?:\/([^/]+))?$/.exec(path);
  if (policy !== null) {
    const [, service = '', name = ''] = policy;
    if (method === 'POST') return [key, world.createPolicy(service, body)];
    const decoded = decodeURIComponent(name);
    return [key, method === 'GET' ? [world.findPolicy(service, decoded)] : world.removePolicy(service, decoded)];
  }
  const list = async <T extends { readonly uuid: string; readonly name: string }>(
    all: readonly T[],
    find: (id: Reference) => T,
    show: (item: T) => Items[number],
  ): Promise<readonly [string, Items]> => {
    const wanted = selected(call, options);
    if (wanted !== undefined) return [key, await Promise.all(wanted.map((id) => safely(id, () => show(find(id)))))];
    return [key, pageOf(all, call, options).map(show)];
  };
  switch (`${method} ${path}`) {
    case 'POST /instances':
      return [key, await world.createInstances(body)];
    case 'GET /instances':
      return list(
        world.instances.all(),
        (id) => world.instances.get(id),
        (item) => world.showInstance(item),
      );
    case 'DELETE /instances':
      return [key, world.removeInstances(body)];
    case 'PUT /instances/start':
      return [key, world.startInstances(body)];
    case 'PUT /instances/stop':
      return [key, world.stopInstances(body)];
    case 'GET /instances/log':
      return [key, each(required(call, options), (id) => world.log(id, id))];
    case 'GET /instances/metrics':
      return [key, each(required(call, options), (id) => world.metrics(id))];
    case 'GET /instances/wait':
      return [key, await Promise.all(required(call, options).map((id) => safely(id, () => waitFor(world, id))))];
    case 'POST /services':
      return [key, world.createService(body)];
    case 'GET /services':
      return list(
        world.services.all(),
        (id) => world.services.get(id),
        (item) => world.showService(item),
      );
    case 'PATCH /services':
      return [key, world.changeServices(body)];
    case 'DELETE /services':
      return [key, world.removeServices(body)];
    case 'POST /services/autoscale':
      return [key, world.configureScaling(body)];
    case 'GET /services/autoscale':
      return list(
        world.services.all(),
        (id) => world.services.get(id),
        (item) => world.showScaling(item),
      );
    case 'DELETE /services/autoscale':
      return [key, world.removeScaling(body)];
    case 'POST /volumes':
      return [key, world.createVolume(body)];
    case 'GET /volumes':
      return list(
        world.volumes.all(),
        (id) => world.volumes.get(id),
        (item) => world.showVolume(item),
      );
    case 'PUT /volumes/attach':
      return [key, world.attachVolumes(body)];
    case 'PUT /volumes/detach':
      return [key, world.detachVolumes(body)];
    case 'DELETE /volumes':
      return [key, world.removeVolumes(body)];
    case 'POST /certificates':
      return [key, world.createCertificate(body)];
    case 'GET /certificates':
      return list(
        world.certificates.all(),
        (id) => world.certificates.get(id),
        (item) => world.showCertificate(item),
      );
    case 'DELETE /certificates':
      return [key, world.removeCertificates(body)];
    case 'GET /users/quotas':
      return [key, world.quotas()];
    case 'GET /images/list':
    case 'GET /images':
      return [key, await images(world, call)];
    default:
      throw new Refused('NoAPIEndpoint', `No endpoint ${method} ${path}`);
  }
}

async function images(world: World, { body, query }: Call): Promise<Items> {
  const [item] = (body ?? []) as readonly { readonly digest?: string; readonly tag?: string }[];
  const wanted = item?.digest ?? item?.tag ?? query.get('digest') ?? query.get('tag');
  if (wanted === null) return [...world.images].map((image) => world.showImage(image));
  if (!(await world.hasImage(wanted))) throw new Refused('NotFound', `No image with name '${wanted}'`);
  return [world.showImage(wanted)];
}

interface Selected extends Reference {
  readonly offset?: number | undefined;
  readonly limit?: number | undefined;
  readonly state?: string | undefined;
  readonly timeout_ms?: number | undefined;
}

/** Which things a GET is about, told in either form; undefined for all. */
function selected({ body, query }: Call, { selection }: StandInOptions): readonly Selected[] | undefined {
  if (body !== undefined) {
    if (selection === 'query') throw new Refused('MalformedRequest', 'A GET has no body');
    return body as readonly Selected[];
  }
  const amount = (name: string) => (query.has(name) ? Number(query.get(name)) : undefined);
  const more = { offset: amount('offset'), limit: amount('limit'), timeout_ms: amount('timeout_ms') };
  const shared = { ...more, state: query.get('state') ?? undefined };
  const ids = [...query.getAll('uuid').map((uuid) => ({ uuid })), ...query.getAll('name').map((name) => ({ name }))];
  if (ids.length === 0) return undefined;
  if (selection === 'body') throw new Refused('MalformedRequest', 'A GET selects by its body');
  return ids.map((id) => ({ ...id, ...shared }));
}

function required(call: Call, options: StandInOptions): readonly Selected[] {
  const wanted = selected(call, options);
  if (wanted === undefined) throw new Refused('MissingID', 'No uuid and no name');
  return wanted;
}

async function safely(id: Reference, act: () => Items[number] | Promise<Items[number]>): Promise<Items[number]> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return {
      status: 'error',
      error: error.error,
      message: error.message,
      ...(id.uuid === undefined ? { name: id.name } : { uuid: id.uuid }),
    };
  }
}

async function waitFor(world: World, id: Selected): Promise<Items[number]> {
  const deadline = Date.now() + (id.timeout_ms ?? 10_000);
  for (;;) {
    const { uuid, name, state } = world.instances.get(id);
    if (id.state === undefined || state === id.state) return { uuid, name, state };
    if (Date.now() > deadline) throw new Refused('TimedOut', `Instance '${name}' is ${state}`);
    await sleep(5);
  }
}

function pageOf<T extends { readonly uuid: string }>(all: readonly T[], { query }: Call, { page }: StandInOptions) {
  const from = query.get('from');
  const start = from === null ? 0 : all.findIndex(({ uuid }) => uuid === from) + 1;
  const asked = query.has('count') ? Number(query.get('count')) : Infinity;
  return all.slice(start, start + Math.min(asked, page ?? Infinity));
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}
