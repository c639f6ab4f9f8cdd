// Each endpoint, in both forms of the API, against the stand-in, which refuses requests that are not as documented.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Cloud, type CloudFault, errorNames, findToken } from '@nx-kraft/cloud';
import { type StandIn, standInToken, startStandIn } from './server.ts';

const image = 'me/app@sha256:' + 'a'.repeat(64);

describe.each(['body', 'query'] as const)('with what a GET selects in its %s', (selection) => {
  let standIn: StandIn;
  let cloud: Cloud;

  beforeEach(async () => {
    standIn = await startStandIn({ selection, images: [image], quota: { instances: 600 } });
    cloud = await connect(standIn, selection);
  });
  afterEach(() => standIn.close());

  test('an instance is created, waited for, read, stopped, started and removed', async () => {
    const [created] = await cloud.instances.create({
      name: 'web',
      image,
      args: ['/server', '--port', '8080'],
      env: { MODE: 'test' },
      memory_mb: 256,
      autostart: true,
      restart_policy: 'on-failure',
      service_group: {
        services: [{ port: 443, destination_port: 8080, handlers: ['http', 'tls'] }],
        domains: [{ name: 'web' }],
      },
      scale_to_zero: { policy: 'on', stateful: true, cooldown_time_ms: 1000 },
    });
    expect(created).toMatchObject({ name: 'web', service_group: { domains: [{ fqdn: 'web.stand-in.test' }] } });
    expect(await cloud.instances.wait(['web'], 'running', 5000)).toMatchObject([{ name: 'web', state: 'running' }]);
    const uuid = created?.uuid ?? '';
    expect(await cloud.instances.find(uuid)).toMatchObject({ name: 'web', memory_mb: 256, env: { MODE: 'test' } });
    expect(await cloud.instances.list()).toHaveLength(1);
    expect(await cloud.instances.stop(['web'], { drain: 60 })).toMatchObject([{ previous_state: 'running' }]);
    expect(await cloud.instances.start([uuid], 1000)).toMatchObject([{ previous_state: 'stopped' }]);
    expect(await cloud.instances.metrics(['web'])).toMatchObject([{ rss_bytes: 1 << 20 }]);
    const page = await cloud.instances.log('web', { offset: -4096, limit: 4096 });
    expect(Buffer.from(page?.output ?? '', 'base64').toString()).toContain('Powered by Unikraft');
    expect(await cloud.instances.remove(['web'])).toMatchObject([{ name: 'web' }]);
    expect(await cloud.instances.find('web')).toBeUndefined();
  });

  test('all of 500 instances are listed by three requests or fewer', async () => {
    for (let index = 0; index < 500; index++) await standIn.world.createInstances({ name: `web-${index}`, image });
    expect(await cloud.instances.list()).toHaveLength(500);
    expect(standIn.requests.length).toBeLessThanOrEqual(3);
  });

  test('a service is created, changed, scaled and removed', async () => {
    await cloud.instances.create({ name: 'first', image });
    const [service] = await cloud.services.create({
      name: 'web',
      services: [
        { port: 443, destination_port: 8080, handlers: ['http', 'tls'] },
        { port: 80, destination_port: 443, handlers: ['http', 'redirect'] },
      ],
      domains: [{ name: 'www.example.com.' }],
      soft_limit: 10,
      hard_limit: 20,
    });
    const uuid = service?.uuid ?? '';
    await cloud.services.change('web', { op: 'set', prop: 'soft_limit', value: 15 });
    expect(await cloud.services.find('web')).toMatchObject({
      uuid,
      soft_limit: 15,
      domains: [{ fqdn: 'www.example.com' }],
    });
    expect(await cloud.services.list()).toHaveLength(1);

    const sizes = { min_size: 1, max_size: 4, warmup_time_ms: 1000, cooldown_time_ms: 1000 };
    await cloud.scaling.configure('web', { ...sizes, master: 'first' });
    const steps = [{ adjustment: 50, lower_bound: 600, upper_bound: 800 }];
    await cloud.scaling.addPolicy(uuid, {
      name: 'busy',
      type: 'step',
      metric: 'cpu',
      adjustment_type: 'percent',
      steps,
    });
    expect(await cloud.scaling.policies(uuid, 'busy')).toMatchObject([{ name: 'busy', steps }]);
    expect(await cloud.scaling.list(['web'])).toMatchObject([
      { enabled: true, max_size: 4, policies: [{ name: 'busy' }] },
    ]);
    await cloud.scaling.removePolicy(uuid, 'busy');
    await cloud.scaling.reset(['web']);
    expect(await cloud.scaling.list(['web'])).toMatchObject([{ enabled: false }]);
    await cloud.services.remove(['web']);
    expect(await cloud.services.find('web')).toBeUndefined();
  });

  test('a volume is created, attached, detached and removed', async () => {
    await cloud.instances.create({ name: 'first', image });
    expect(await cloud.volumes.create(64, 'data')).toMatchObject([{ name: 'data', size_mb: 64 }]);
    await cloud.volumes.attach('data', 'first', '/data', true);
    expect(await cloud.volumes.list(['data'])).toMatchObject([{ attached_to: [{ name: 'first' }] }]);
    expect(await refusal(cloud.volumes.remove(['data']))).toMatchObject({ name: 'Attached', subject: 'data' });
    await cloud.volumes.detach('data', 'first');
    await cloud.volumes.remove(['data']);
    expect(await cloud.volumes.list()).toEqual([]);
  });

  test('a certificate is created, read and removed', async () => {
    const pem = { chain: '-----BEGIN CERTIFICATE-----', pkey: '-----BEGIN PRIVATE KEY-----' };
    await cloud.certificates.create({ name: 'own', cn: 'www.example.com', ...pem });
    expect(await cloud.certificates.list(['own'])).toMatchObject([{ state: 'valid', common_name: 'www.example.com' }]);
    const services = [{ port: 443, destination_port: 8080, handlers: ['tls'] as const }];
    const domains = [{ name: 'other.example.com.', certificate: { name: 'own' } }];
    expect(await refusal(cloud.services.create({ services, domains }))).toMatchObject({ name: 'CertCNMismatch' });
    await cloud.certificates.remove(['own']);
    expect(await cloud.certificates.list()).toEqual([]);
  });

  test('images are listed and found, and quotas are read', async () => {
    expect(await cloud.images.list()).toMatchObject([{ digest: image }]);
    expect(await cloud.images.find(image)).toMatchObject({ digest: image });
    expect(await cloud.images.find('me/none:latest')).toBeUndefined();
    expect(await cloud.users.quotas()).toMatchObject([{ hard: { instances: 600 } }]);
  });

  test('what is done in part says which part failed and why', async () => {
    await cloud.instances.create({ name: 'there', image, autostart: true });
    const fault = await faultOf(cloud.instances.stop(['there', 'gone']));
    expect(fault).toMatchObject({ code: 'CLOUD_PARTIAL', refusals: [{ name: 'NotFound', error: 8, subject: 'gone' }] });
    expect(fault.message).toBe("done in part only:\ngone: No instance with id 'gone' [NotFound, 8]");
  });

  test.each(errorNames.map((name, error) => [error, name] as const))('error %i is %s', async (error, name) => {
    standIn.faults.add({ error, message: 'so the API says', times: 1 });
    const fault = await faultOf(cloud.instances.list());
    expect(fault).toMatchObject({ code: 'CLOUD_REFUSED', refusals: [{ error, name, message: 'so the API says' }] });
    expect(fault.message).toBe(`so the API says [${name}, ${error}]`);
  });

  test('errors of the stand-in itself: quota, names that are taken, shapes, endpoints', async () => {
    await cloud.instances.create({ name: 'web', image });
    expect(await refusal(cloud.instances.create({ name: 'web', image }))).toMatchObject({ name: 'AlreadyExists' });
    expect(await refusal(cloud.instances.create({ image, replicas: 600 }))).toMatchObject({ name: 'Quota' });
    expect(await refusal(cloud.instances.create({ image: 'me/none:latest' }))).toMatchObject({ name: 'NotFound' });
    expect(await refusal(cloud.instances.create({ image, memory_mb: 1 }))).toMatchObject({
      name: 'GuestMemoryTooSmall',
    });
    const wrong = { services: [{ port: 80, destination_port: 8080, handlers: ['tls'] as const }] };
    expect(await refusal(cloud.services.create(wrong))).toMatchObject({ name: 'MalformedRequest' });
    expect(await refusal(cloud.scaling.reset(['none']))).toMatchObject({ name: 'NotFound' });
  });
});

describe('on the way', () => {
  let standIn: StandIn;
  let cloud: Cloud;

  beforeEach(async () => {
    standIn = await startStandIn({ images: [image] });
    cloud = await connect(standIn, 'query');
  });
  afterEach(() => standIn.close());

  test('pages that are shorter than asked for are not the last ones', async () => {
    await standIn.close();
    standIn = await startStandIn({ images: [image], page: 120 });
    cloud = await connect(standIn, 'query');
    for (let index = 0; index < 300; index++) await standIn.world.createInstances({ name: `web-${index}`, image });
    expect(new Set((await cloud.instances.list()).map(({ name }) => name)).size).toBe(300);
  });

  test('a refused token is told, without a word of it', async () => {
    const stranger = Buffer.from('robot$you.users.kraftcloud:secret').toString('base64');
    const metro = { name: 'here', url: standIn.url, selection: 'query' } as const;
    const fault = await faultOf(new Cloud(metro, await findToken({ UKC_TOKEN: stranger })).instances.list());
    expect(fault.code).toBe('CLOUD_DENIED');
    expect(`${fault.message}${fault.hint}${fault.stack}${JSON.stringify(fault)}`).not.toContain(stranger.slice(0, 12));
  });

  test('reading is tried again after failures of the server, and after broken connections', async () => {
    standIn.faults.add({ status: 503, times: 1 });
    standIn.faults.add({ after: 'drop', times: 1 });
    expect(await cloud.instances.list()).toEqual([]);
    expect(standIn.requests).toHaveLength(3);
    standIn.faults.add({ status: 500, message: 'it burns' });
    expect(await faultOf(cloud.instances.list())).toMatchObject({ code: 'CLOUD_UNREACHABLE' });
  });

  test('what changes things is sent once when nobody knows whether it was done', async () => {
    standIn.faults.add({ method: 'POST', after: 'drop', times: 1 });
    expect(await faultOf(cloud.instances.create({ name: 'web', image }))).toMatchObject({ code: 'CLOUD_UNREACHABLE' });
    expect(standIn.requests).toHaveLength(1);
    standIn.faults.add({ method: 'POST', status: 500, times: 1 });
    expect(await faultOf(cloud.volumes.create(10))).toMatchObject({ code: 'CLOUD_REFUSED' });
    expect(standIn.requests).toHaveLength(2);
  });

  test('whatever was turned away unread is sent again when the API allows it', async () => {
    standIn.faults.add({ status: 429, times: 2, retryAfter: 0 });
    expect(await cloud.volumes.create(10, 'data')).toMatchObject([{ name: 'data' }]);
    expect(standIn.requests).toHaveLength(3);
    standIn.faults.add({ status: 429 });
    expect(await faultOf(cloud.volumes.create(10))).toMatchObject({ code: 'CLOUD_RATE_LIMITED' });
  });

  test('an answer that does not come, is broken, or is of another kind is told', async () => {
    const metro = { name: 'here', url: standIn.url, selection: 'query' } as const;
    const hasty = new Cloud(metro, await findToken({ UKC_TOKEN: standInToken }), { timeout: 100, retries: 0 });
    standIn.faults.add({ delay: 2000, times: 1 });
    expect(await faultOf(hasty.instances.list())).toMatchObject({ code: 'CLOUD_TIMEOUT' });
    standIn.faults.add({ after: 'garbage', times: 1 });
    expect(await faultOf(cloud.instances.list())).toMatchObject({ code: 'CLOUD_NOT_UNDERSTOOD' });
    const elsewhere = { ...metro, url: standIn.url.replace('/v1', '/v2') };
    const stranger = new Cloud(elsewhere, await findToken({ UKC_TOKEN: standInToken }));
    expect(await faultOf(stranger.instances.list())).toMatchObject({ code: 'CLOUD_REFUSED' });
  });
});

async function connect(standIn: StandIn, selection: 'body' | 'query'): Promise<Cloud> {
  const token = await findToken({ UKC_TOKEN: standInToken });
  return new Cloud({ name: 'here', url: standIn.url, selection }, token, { pause: 1 });
}

async function faultOf(work: Promise<unknown>): Promise<CloudFault> {
  return work.then(
    () => {
      throw new Error('it was done');
    },
    (error: unknown) => error as CloudFault,
  );
}

async function refusal(work: Promise<unknown>) {
  return (await faultOf(work)).refusals[0];
}
