// Deployments against the stand-in: what is asked of the API, what serves afterwards, and what is left when it fails.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  Cloud,
  type CloudFault,
  deploy,
  type Deployment,
  type DeployOptions,
  describePlan,
  findToken,
  isUp,
  lookAt,
  parsePorts,
  readLog,
  rollBack,
  undeploy,
} from '@nx-kraft/cloud';
import { type StandIn, standInToken, startStandIn, type StandInOptions } from './server.ts';

const imageOf = (letter: string): string => `me/app@sha256:${letter.repeat(64)}`;
const images = ['a', 'b', 'c', 'd'].map(imageOf);

const first: Deployment = {
  name: 'app',
  image: imageOf('a'),
  imageArgs: [],
  imageEnv: {},
  env: { MODE: 'test', PASSWORD: 'hunter2' },
  secrets: ['PASSWORD'],
  memory: 128,
  vcpus: 1,
  ports: parsePorts(['443:8080']),
  domains: [{ name: 'app' }],
  volumes: [],
  replicas: 1,
  restart: 'never',
};
const second: Deployment = { ...first, image: imageOf('b') };
const crashing: Deployment = { ...second, env: { ...first.env, STAND_IN_CRASH: '1' } };

let standIn: StandIn;
let cloud: Cloud;

async function start(options: StandInOptions = {}): Promise<void> {
  standIn = await startStandIn({ images, ...options });
  const token = await findToken({ UKC_TOKEN: standInToken });
  cloud = new Cloud({ name: 'here', url: standIn.url, selection: 'query' }, token, { pause: 1 });
}

beforeEach(() => start());
afterEach(() => standIn.close());

function run(deployment: Deployment, options: Partial<DeployOptions> = {}) {
  return deploy(cloud, deployment, { rollout: 'stop', history: 1, timeout: 5, rolloutWait: 0, ...options });
}

async function states(): Promise<Readonly<Record<string, string>>> {
  const { instances } = await lookAt(cloud, 'app');
  return Object.fromEntries(instances.map(({ name, state }) => [name, isUp({ state } as never) ? 'up' : state]));
}

async function faultOf(work: Promise<unknown>): Promise<CloudFault> {
  return work.then(
    () => {
      throw new Error('it was done');
    },
    (error: unknown) => error as CloudFault,
  );
}

test('the first deployment creates a service and an instance, and gives the URL', async () => {
  const deployed = await run(first);
  expect(deployed).toMatchObject({
    changed: true,
    version: 1,
    urls: ['https://app.stand-in.test'],
    instances: ['app-v1'],
  });
  expect(await cloud.instances.find('app-v1')).toMatchObject({
    image: first.image,
    env: first.env,
    restart_policy: 'never',
  });
});

test('what is unchanged is left alone by three requests or fewer, and brings no image', async () => {
  await run(first);
  standIn.requests.length = 0;
  const again = await run(first, { bringImage: () => Promise.reject(new Error('it was brought')) });
  expect(again).toMatchObject({ changed: false, urls: ['https://app.stand-in.test'], instances: ['app-v1'] });
  expect(standIn.requests.length).toBeLessThanOrEqual(3);
});

test('an update starts the new one beside the old one, which is then stopped and kept', async () => {
  await run(first);
  const updated = await run(second);
  expect(updated).toMatchObject({ version: 2, instances: ['app-v2'] });
  expect(await states()).toEqual({ 'app-v2': 'up', 'app-v1': 'stopped' });
  const order = standIn.requests
    .filter(({ method }) => method !== 'GET')
    .map(({ method, path }) => `${method} ${path}`);
  expect(order.slice(-2)).toEqual(['POST /instances', 'PUT /instances/stop']);
  await run({ ...first, image: imageOf('c') });
  expect(await states()).toEqual({ 'app-v3': 'up', 'app-v2': 'stopped' });
});

test.each([
  ['remove', { 'app-v2': 'up' }],
  ['keep', { 'app-v1': 'up', 'app-v2': 'up' }],
] as const)('the old one can be told to %s', async (rollout, expected) => {
  await run(first);
  await run(second, { rollout });
  expect(await states()).toEqual(expected);
  expect(await run(second, { rollout })).toMatchObject({ changed: false });
});

test.each([
  ['memory', { memory: 256 }, 'memory: 128 MiB → 256 MiB'],
  ['a secret', { env: { MODE: 'test', PASSWORD: 'hunter3' } }, 'env PASSWORD: another value'],
  ['a variable less', { env: { PASSWORD: 'hunter2' } }, 'env MODE: gone'],
  ['arguments', { args: ['/server'] }, 'args: [] → ["/server"]'],
  ['sleep', { scaleToZero: { policy: 'on' } }, 'scale to zero, policy: null → "on"'],
  ['restarts', { restart: 'always' as const }, 'restart: never → always'],
])('another value of %s is a new version, with its reason in the plan', async (_what, change, reason) => {
  await run(first);
  const { plan } = await run({ ...first, ...change }, { dryRun: true });
  expect(plan.reasons).toContain(reason);
  expect(plan.start).toEqual(['app-v2']);
  expect(await run({ ...first, ...change })).toMatchObject({ changed: true });
  expect(await run({ ...first, ...change })).toMatchObject({ changed: false });
});

test("what the image has by itself is no difference, whether the API counts it to the instance's own or not", async () => {
  const withDefaults = { ...first, imageArgs: ['/app'], imageEnv: { LANG: 'C' } };
  await run({ ...withDefaults, args: ['/app'], env: { ...first.env, LANG: 'C' } });
  expect(await run(withDefaults)).toMatchObject({ changed: false });
});

test('a dry run changes nothing and shows no secrets', async () => {
  const { plan } = await run(first, { dryRun: true });
  const text = describePlan(plan, first).join('\n');
  expect(text).toContain('+ service app');
  expect(text).toContain('+ instance app-v1');
  expect(text).toContain('PASSWORD (secret)');
  expect(text).not.toContain('hunter2');
  expect(standIn.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
});

test('more replicas start beside those that there are, and fewer stop', async () => {
  await run(first);
  expect(await run({ ...first, replicas: 3 })).toMatchObject({ instances: ['app-v1', 'app-v1-2', 'app-v1-3'] });
  await run({ ...first, replicas: 1 });
  expect(Object.values(await states()).filter((state) => state === 'up')).toHaveLength(1);
  await run({ ...second, replicas: 2 });
  expect(await states()).toMatchObject({ 'app-v2': 'up', 'app-v2-2': 'up', 'app-v1': 'stopped' });
});

test('ports and domains of a service change without new instances', async () => {
  await run(first);
  const changed = await run({
    ...first,
    ports: parsePorts(['8443:8080/tls']),
    domains: [{ name: 'www.example.com.' }],
  });
  expect(changed).toMatchObject({ changed: true, urls: ['www.example.com:8443'], instances: ['app-v1'] });
});

test('without ports there is no service, it never sleeps, and it is found all the same', async () => {
  const worker = { ...first, ports: [], domains: [] };
  expect(await run(worker)).toMatchObject({ urls: [], instances: ['app-v1'] });
  expect(await cloud.services.list()).toEqual([]);
  expect(await cloud.instances.find('app-v1')).toMatchObject({ scale_to_zero: { policy: 'off' } });
  expect(await run(worker)).toMatchObject({ changed: false });
  await run({ ...worker, image: imageOf('b') });
  expect(await states()).toEqual({ 'app-v2': 'up', 'app-v1': 'stopped' });
});

describe('when it fails', () => {
  beforeEach(() => run(first));

  test.each(['never', 'always'] as const)(
    'a crash (restart: %s) is taken back, with its last lines',
    async (restart) => {
      const fault = await faultOf(run({ ...crashing, restart }, { rolloutWait: 2 }));
      expect(fault.code).toBe('CLOUD_UNHEALTHY');
      expect(fault.message).toContain('| panic: cannot open /app.conf');
      expect(fault.message).toContain('| PASSWORD=***');
      expect(fault.message).not.toContain('hunter2');
      expect(await states()).toEqual({ 'app-v1': 'up' });
    },
  );

  test('an instance that never runs is taken back', async () => {
    await standIn.close();
    await start({ pace: { boot: 60_000 } });
    expect(await faultOf(run(first, { timeout: 0.1 }))).toMatchObject({ code: 'CLOUD_UNHEALTHY' });
    expect(await cloud.instances.list()).toEqual([]);
    expect(await cloud.services.list()).toEqual([]);
  });

  test('an image that does not arrive is told, and nothing is started', async () => {
    const fault = await faultOf(run({ ...first, image: imageOf('f') }, { timeout: 0.1 }));
    expect(fault).toMatchObject({ code: 'CLOUD_NO_IMAGE' });
    expect(await states()).toEqual({ 'app-v1': 'up' });
  });

  test('a quota that is reached is told, and replicas that were started are taken back', async () => {
    await standIn.close();
    await start({ quota: { instances: 2 } });
    await run(first);
    const fault = await faultOf(run({ ...second, replicas: 2 }));
    expect(fault).toMatchObject({ code: 'CLOUD_REFUSED', refusals: [{ name: 'Quota' }] });
    expect(fault.hint).toContain('nx-kraft cloud quota');
    expect(await states()).toEqual({ 'app-v1': 'up' });
  });

  test('a name that somebody else has is told', async () => {
    await cloud.instances.create({ name: 'app-v2', image: imageOf('c') });
    expect(await faultOf(run(second))).toMatchObject({ refusals: [{ name: 'AlreadyExists' }] });
    expect(await states()).toEqual({ 'app-v1': 'up' });
  });

  test('a service that cannot be changed takes the new instance back', async () => {
    standIn.faults.add({ method: 'PATCH', error: 14 });
    expect(await faultOf(run({ ...second, domains: [{ name: 'other' }] }))).toMatchObject({
      refusals: [{ error: 14 }],
    });
    expect(await states()).toEqual({ 'app-v1': 'up' });
  });

  test('an instance whose creation was answered by silence is found by its name', async () => {
    standIn.faults.add({ method: 'POST', path: '/instances', after: 'drop', times: 1 });
    expect(await run(second)).toMatchObject({ instances: ['app-v2'] });
    expect(await states()).toEqual({ 'app-v2': 'up', 'app-v1': 'stopped' });
  });

  test.each(['starting app-v2', 'app-v2 is running'])('an end at "%s" leaves the old one alone', async (step) => {
    const stop = new AbortController();
    const onStep = (text: string): void => (text === step ? stop.abort() : undefined);
    const fault = await faultOf(run(second, { rolloutWait: 5, signal: stop.signal, onStep }));
    expect(fault.code).toBe('CLOUD_STOPPED');
    expect(await states()).toEqual({ 'app-v1': 'up' });
  });

  test('an end when the new one serves is too late to lose anything', async () => {
    const stop = new AbortController();
    const onStep = (text: string): void => (text === 'stopping app-v1' ? stop.abort() : undefined);
    await run(second, { signal: stop.signal, onStep });
    expect(await states()).toEqual({ 'app-v2': 'up', 'app-v1': 'stopped' });
  });

  test('what a killed deployment has left is finished by the next one', async () => {
    await cloud.instances.create({
      name: 'app-v2',
      image: second.image,
      env: second.env,
      memory_mb: 128,
      vcpus: 1,
      autostart: true,
      restart_policy: 'never',
      service_group: { name: 'app' },
    });
    expect(await run(second)).toMatchObject({ changed: true, instances: ['app-v2'] });
    expect(await states()).toEqual({ 'app-v2': 'up', 'app-v1': 'stopped' });
  });
});

test('a rollback starts the version before and stops the one that serves', async () => {
  await run(first);
  await run(second);
  const patience = { timeout: 5, rolloutWait: 0 };
  expect(await rollBack(cloud, 'app', patience)).toMatchObject({ from: 2, version: 1, image: first.image });
  expect(await states()).toEqual({ 'app-v2': 'stopped', 'app-v1': 'up' });
  expect(await faultOf(rollBack(cloud, 'app', patience))).toMatchObject({ code: 'CLOUD_NO_PREVIOUS' });
  expect(await rollBack(cloud, 'app', { ...patience, version: 2 })).toMatchObject({ from: 1, version: 2 });
  await rollBack(cloud, 'app', patience);
  await run({ ...first, image: imageOf('c') });
  expect(await states()).toEqual({ 'app-v3': 'up', 'app-v1': 'stopped' });
});

test('a rollback to something that crashes is taken back', async () => {
  await run(first);
  await cloud.instances.remove(['app-v1']);
  const broken = { name: 'app-v1', image: imageOf('a'), env: { STAND_IN_CRASH: '1' }, service_group: { name: 'app' } };
  await cloud.instances.create(broken);
  await run(second);
  expect(await faultOf(rollBack(cloud, 'app', { timeout: 5, rolloutWait: 1 }))).toMatchObject({
    code: 'CLOUD_UNHEALTHY',
  });
  expect(await states()).toEqual({ 'app-v2': 'up', 'app-v1': 'stopped' });
});

test('what was never deployed is told', async () => {
  expect(await faultOf(rollBack(cloud, 'app', { timeout: 5, rolloutWait: 0 }))).toMatchObject({
    code: 'CLOUD_NOT_DEPLOYED',
  });
});

test('undeploying removes all, can be shown first, and may be repeated', async () => {
  await run(first);
  await run(second);
  const names = ['instance app-v2', 'instance app-v1', 'service app'];
  expect(await undeploy(cloud, 'app', { dryRun: true })).toEqual(names);
  expect(await undeploy(cloud, 'app')).toEqual(names);
  expect(await cloud.services.list()).toEqual([]);
  expect(await undeploy(cloud, 'app')).toEqual([]);
});

test('a log is read to its end, or its last lines only', async () => {
  await run(first);
  const read = async (options: Parameters<typeof readLog>[2]) => {
    let text = '';
    for await (const bytes of readLog(cloud, 'app-v1', options)) text += Buffer.from(bytes).toString();
    return text;
  };
  expect(await read({})).toBe(`Powered by Unikraft\n${first.image}\n`);
  expect(await read({ tail: 1 })).toBe(`${first.image}\n`);
});

test('what 500 instances of a service do is told by three requests', async () => {
  await run(first);
  for (let index = 2; index <= 500; index++) {
    await standIn.world.createInstances({
      name: `app-v1-${index}`,
      image: first.image,
      service_group: { name: 'app' },
    });
  }
  standIn.requests.length = 0;
  expect((await lookAt(cloud, 'app')).instances).toHaveLength(500);
  expect(standIn.requests.length).toBeLessThanOrEqual(3);
});
