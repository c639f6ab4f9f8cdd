import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import {
  attachVolumes,
  changeServices,
  configureScaling,
  createCertificate,
  type CreateInstance,
  createInstance,
  createPolicy,
  createService,
  createVolume,
  detachVolumes,
  ids,
  serviceValues,
  startInstances,
  stopInstances,
} from './requests.ts';
import {
  Collection,
  type Pace,
  type Reference,
  Refused,
  type StandInCertificate,
  StandInInstance,
  type StandInService,
  type StandInVolume,
} from './state.ts';

export interface WorldOptions {
  readonly pace?: Partial<Pace>;
  /** How many of each there may be. */
  readonly quota?: { readonly instances?: number; readonly volumes?: number; readonly services?: number };
  /** Images that the metro has, as `me/app@sha256:…` or `nginx:latest`. */
  readonly images?: readonly string[];
  /** Host of a registry without TLS whose images the metro has, too. */
  readonly registry?: string;
}

export type Items = readonly Readonly<Record<string, unknown>>[];

/** All that there is in the pretended metro, and what can be done with it. */
export class World {
  readonly instances = new Collection<StandInInstance>('instance');
  readonly services = new Collection<StandInService>('service');
  readonly volumes = new Collection<StandInVolume>('volume');
  readonly certificates = new Collection<StandInCertificate>('certificate');
  readonly images: Set<string>;
  readonly #options: WorldOptions;
  readonly #pace: Pace;

  constructor(options: WorldOptions = {}) {
    this.#options = options;
    this.#pace = { boot: 20, life: 20, ...options.pace };
    this.images = new Set(options.images ?? []);
  }

  async createInstances(body: unknown): Promise<Items> {
    const request = read(createInstance, body);
    if (!(await this.hasImage(request.image))) throw new Refused('NotFound', `No image with name '${request.image}'`);
    const limit = this.#options.quota?.instances ?? 1000;
    if (this.instances.size + 1 + request.replicas > limit) {
      throw new Refused('Quota', `Quota of ${limit} instances reached`);
    }
    if (request.memory_mb < 16) throw new Refused('GuestMemoryTooSmall', 'Guest memory too small');
    const identities = Array.from({ length: 1 + request.replicas }, (_, index) =>
      this.instances.identity(
        index === 0 || request.name === undefined ? request.name : `${request.name}-${randomBytes(3).toString('hex')}`,
      ),
    );
    const volumes = request.volumes.map((volume) => ({ volume: this.volumes.get(volume), ...volume }));
    const service = this.#serviceOf(request);
    return identities.map((identity) => {
      const instance = this.instances.add(new StandInInstance(identity, request, service, this.#pace));
      for (const { volume, at, readonly = false } of volumes) {
        volume.attached.push({ instance: instance.uuid, at, readonly });
      }
      if (request.autostart) instance.start();
      return { ...this.showInstance(instance), boot_time_us: undefined };
    });
  }

  #serviceOf({ service_group: wanted }: CreateInstance): string | undefined {
    if (wanted === undefined) return undefined;
    if (!('services' in wanted)) return this.services.get(wanted).uuid;
    return this.#addService({ ...wanted, domains: wanted.domains ?? [] }, false).uuid;
  }

  showInstance(instance: StandInInstance): Items[number] {
    const { uuid, name, created_at, request, state, starts, restarts, hasCrashed } = instance;
    const service = instance.service === undefined ? undefined : this.services.get({ uuid: instance.service });
    return {
      uuid,
      name,
      created_at,
      state,
      image: request.image,
      memory_mb: request.memory_mb,
      vcpus: request.vcpus,
      args: request.args,
      env: request.env,
      restart_policy: request.restart_policy,
      start_count: starts + restarts,
      restart_count: restarts,
      ...(hasCrashed ? { exit_code: 1, stop_code: 0, stop_reason: 3 } : {}),
      ...(instance.stopTime === undefined ? {} : { stopped_at: instance.stopTime }),
      private_fqdn: `${name}.internal`,
      private_ip: '172.16.0.2',
      ...(service === undefined
        ? {}
        : { service_group: { uuid: service.uuid, name: service.name, domains: service.domains } }),
      scale_to_zero: request.scale_to_zero,
      volumes: this.volumes
        .all()
        .flatMap((volume) =>
          volume.attached
            .filter((attached) => attached.instance === uuid)
            .map(({ at, readonly }) => ({ uuid: volume.uuid, name: volume.name, at, readonly })),
        ),
      boot_time_us: 1500,
    };
  }

  removeInstances(body: unknown): Items {
    return each(read(ids, body), (id) => {
      const instance = this.instances.get(id);
      const { uuid, name, state } = instance;
      this.instances.delete(instance);
      for (const volume of this.volumes.all()) {
        for (let at = volume.attached.length - 1; at >= 0; at--) {
          if (volume.attached[at]?.instance === uuid) volume.attached.splice(at, 1);
        }
      }
      const service = instance.service === undefined ? undefined : this.services.get({ uuid: instance.service });
      if (service?.persistent === false && this.#membersOf(service).length === 0) this.services.delete(service);
      return { uuid, name, previous_state: state };
    });
  }

  startInstances(body: unknown): Items {
    return each(read(startInstances, body), (id) => this.#change(id, (instance) => instance.start()));
  }

  stopInstances(body: unknown): Items {
    return each(read(stopInstances, body), (id) => this.#change(id, (instance) => instance.stop()));
  }

  #change(id: Reference, act: (instance: StandInInstance) => void): Items[number] {
    const instance = this.instances.get(id);
    const previous = instance.state;
    act(instance);
    return { uuid: instance.uuid, name: instance.name, state: instance.state, previous_state: previous };
  }

  log(
    id: Reference,
    { offset, limit = 4096 }: { offset?: number | undefined; limit?: number | undefined },
  ): Items[number] {
    if (limit > 16_383) throw new Refused('TooLong', 'The limit is 16383 bytes');
    const { uuid, name, output, state } = this.instances.get(id);
    const bytes = Buffer.from(output);
    const from =
      offset === undefined
        ? Math.max(0, bytes.length - limit)
        : offset < 0
          ? Math.max(0, bytes.length + offset)
          : offset;
    const page = bytes.subarray(from, from + limit);
    return {
      uuid,
      name,
      state,
      output: page.toString('base64'),
      range: { start: from, end: from + page.length },
      available: { start: 0, end: bytes.length },
    };
  }

  metrics(id: Reference): Items[number] {
    const { uuid, name } = this.instances.get(id);
    const counts = ['rx_bytes', 'rx_packets', 'tx_bytes', 'tx_packets', 'nconns', 'nreqs', 'nqueued', 'ntotal'];
    return { uuid, name, rss_bytes: 1 << 20, cpu_time_ms: 5, ...Object.fromEntries(counts.map((each) => [each, 0])) };
  }

  /** Whether an image with this name or digest is there. */
  async hasImage(image: string): Promise<boolean> {
    if (this.images.has(image)) return true;
    const { registry } = this.#options;
    if (registry === undefined) return false;
    const [, name, tag] = /^([^@:]+)[@:](.+)$/.exec(image) ?? [];
    if (name === undefined) return false;
    const accept = 'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json';
    const { status } = await fetch(`http://${registry}/v2/${name}/manifests/${tag}`, {
      method: 'HEAD',
      headers: { accept },
    });
    return status === 200;
  }

  showImage(image: string): Items[number] {
    return { digest: image, tags: [image.replace(/@.*/, ':latest')], initrd: true, size_in_bytes: 3_000_000, args: '' };
  }

  createService(body: unknown): Items {
    const limit = this.#options.quota?.services ?? 100;
    if (this.services.size >= limit) throw new Refused('Quota', `Quota of ${limit} services reached`);
    return [this.showService(this.#addService(read(createService, body), true))];
  }

  #addService(request: z.infer<typeof createService>, persistent: boolean): StandInService {
    const identity = this.services.identity(request.name);
    return this.services.add({
      ...identity,
      services: request.services,
      domains: this.#domains(request.domains),
      soft_limit: request.soft_limit ?? 65_535,
      hard_limit: request.hard_limit ?? 65_535,
      persistent,
    });
  }

  #domains(wanted: z.infer<typeof createService>['domains']): StandInService['domains'] {
    const names = wanted.length > 0 ? wanted : [{ name: `bold-${randomBytes(3).toString('hex')}` }];
    return names.map(({ name, ...rest }) => {
      const certificate =
        'certificate' in rest && rest.certificate !== undefined ? this.certificates.get(rest.certificate) : undefined;
      const fqdn = name.endsWith('.') ? name.slice(0, -1) : `${name}.stand-in.test`;
      if (certificate !== undefined && certificate.common_name !== fqdn) {
        throw new Refused('CertCNMismatch', `Certificate '${certificate.name}' is not for ${fqdn}`);
      }
      if (this.services.all().some((service) => service.domains.some((domain) => domain.fqdn === fqdn))) {
        throw new Refused('AlreadyExists', `Domain '${fqdn}' is taken`);
      }
      return {
        fqdn,
        ...(certificate === undefined ? {} : { certificate: { uuid: certificate.uuid, name: certificate.name } }),
      };
    });
  }

  showService(service: StandInService): Items[number] {
    const { scaling, ...rest } = service;
    const instances = this.#membersOf(service).map(({ uuid, name }) => ({ uuid, name }));
    return { ...rest, autoscale: scaling !== undefined, instances };
  }

  #membersOf(service: StandInService): readonly StandInInstance[] {
    return this.instances.all().filter((instance) => instance.service === service.uuid);
  }

  changeServices(body: unknown): Items {
    return each(read(changeServices, body), ({ op, prop, value, ...id }) => {
      const service = this.services.get(id);
      if (op !== 'set') throw new Refused('NotSupported', `The stand-in knows 'set' only, and not '${op}'`);
      if (prop === 'domains') {
        const wanted = read(serviceValues.domains, value);
        service.domains = [];
        service.domains = this.#domains(wanted);
      } else if (prop === 'services') service.services = read(serviceValues.services, value);
      else service[prop] = read(serviceValues[prop], value);
      return { uuid: service.uuid, name: service.name };
    });
  }

  removeServices(body: unknown): Items {
    return each(read(ids, body), (id) => {
      const service = this.services.get(id);
      if (this.#membersOf(service).length > 0) throw new Refused('Attached', `Service '${service.name}' has instances`);
      this.services.delete(service);
      return { uuid: service.uuid, name: service.name };
    });
  }

  configureScaling(body: unknown): Items {
    return each(read(configureScaling, body), ({ master, uuid, name, ...settings }) => {
      const service = this.services.get({ uuid, name });
      if (service.scaling !== undefined) throw new Refused('AutoscaleConfigured', 'Autoscale is configured already');
      if (settings.min_size > settings.max_size) throw new Refused('AutoscaleSizeOOR', 'min_size is above max_size');
      const { uuid: own, name: called } = this.instances.get(master);
      service.scaling = { ...settings, master: { uuid: own, name: called }, policies: [] };
      return { uuid: service.uuid, name: service.name };
    });
  }

  showScaling(service: StandInService): Items[number] {
    if (service.scaling === undefined) return { uuid: service.uuid, name: service.name, enabled: false };
    return { uuid: service.uuid, name: service.name, enabled: true, ...service.scaling };
  }

  removeScaling(body: unknown): Items {
    return each(read(ids, body), (id) => {
      const service = this.services.get(id);
      this.scalingOf(service);
      delete service.scaling;
      return { uuid: service.uuid, name: service.name };
    });
  }

  scalingOf(service: StandInService): NonNullable<StandInService['scaling']> {
    if (service.scaling === undefined) throw new Refused('AutoscaleNotConfigured', 'Autoscale is not configured');
    return service.scaling;
  }

  createPolicy(service: string, body: unknown): Items {
    const policy = read(createPolicy, body);
    const { policies } = this.scalingOf(this.services.get({ uuid: service }));
    if (policies.some(({ name }) => name === policy.name)) throw new Refused('AlreadyExists', 'Policy exists already');
    policies.push(policy);
    return [policy];
  }

  findPolicy(service: string, name: string): Items[number] {
    const policy = this.scalingOf(this.services.get({ uuid: service })).policies.find((each) => each.name === name);
    if (policy === undefined) throw new Refused('NotFound', `No policy with name '${name}'`);
    return { ...policy };
  }

  removePolicy(service: string, name: string): Items {
    const found = this.findPolicy(service, name);
    const { policies } = this.scalingOf(this.services.get({ uuid: service }));
    policies.splice(
      policies.findIndex((each) => each.name === name),
      1,
    );
    return [found];
  }

  createVolume(body: unknown): Items {
    const { name, size_mb } = read(createVolume, body);
    const limit = this.#options.quota?.volumes ?? 100;
    if (this.volumes.size >= limit) throw new Refused('Quota', `Quota of ${limit} volumes reached`);
    return [this.showVolume(this.volumes.add({ ...this.volumes.identity(name), size_mb, attached: [] }))];
  }

  showVolume({ attached, ...volume }: StandInVolume): Items[number] {
    const holders = attached.map(({ instance }) => this.instances.get({ uuid: instance }));
    const refer = ({ uuid, name }: StandInInstance) => ({ uuid, name });
    const state = holders.length === 0 ? 'available' : holders.some(({ isUp }) => isUp) ? 'mounted' : 'idle';
    return {
      ...volume,
      state,
      persistent: true,
      attached_to: holders.map(refer),
      mounted_by: holders.filter(({ isUp }) => isUp).map(refer),
    };
  }

  attachVolumes(body: unknown): Items {
    return each(read(attachVolumes, body), ({ attach_to, at, readonly = false, ...id }) => {
      const volume = this.volumes.get(id);
      const { uuid } = this.instances.get(attach_to);
      if (volume.attached.some(({ instance }) => instance === uuid)) throw new Refused('Attached', 'Attached already');
      volume.attached.push({ instance: uuid, at, readonly });
      return { uuid: volume.uuid, name: volume.name };
    });
  }

  detachVolumes(body: unknown): Items {
    return each(read(detachVolumes, body), ({ from, ...id }) => {
      const volume = this.volumes.get(id);
      const uuid = from === undefined ? undefined : this.instances.get(from).uuid;
      const kept = uuid === undefined ? [] : volume.attached.filter(({ instance }) => instance !== uuid);
      if (kept.length === volume.attached.length) throw new Refused('NotAttached', 'Not attached');
      volume.attached.splice(0, Infinity, ...kept);
      return { uuid: volume.uuid, name: volume.name };
    });
  }

  removeVolumes(body: unknown): Items {
    return each(read(ids, body), (id) => {
      const volume = this.volumes.get(id);
      if (volume.attached.length > 0) throw new Refused('Attached', `Volume '${volume.name}' is attached`);
      this.volumes.delete(volume);
      return { uuid: volume.uuid, name: volume.name };
    });
  }

  createCertificate(body: unknown): Items {
    const { name, cn } = read(createCertificate, body);
    return [this.showCertificate(this.certificates.add({ ...this.certificates.identity(name), common_name: cn }))];
  }

  showCertificate(certificate: StandInCertificate): Items[number] {
    const users = this.services
      .all()
      .filter(({ domains }) => domains.some((domain) => domain.certificate?.uuid === certificate.uuid));
    return { ...certificate, state: 'valid', service_groups: users.map(({ uuid, name }) => ({ uuid, name })) };
  }

  removeCertificates(body: unknown): Items {
    return each(read(ids, body), (id) => {
      const certificate = this.certificates.get(id);
      this.certificates.delete(certificate);
      return { uuid: certificate.uuid, name: certificate.name };
    });
  }

  quotas(): Items {
    const { instances = 1000, services = 100, volumes = 100 } = this.#options.quota ?? {};
    const live = this.instances.all().filter(({ isUp }) => isUp);
    const used = {
      instances: this.instances.size,
      live_instances: live.length,
      live_memory_mb: live.reduce((sum, { request }) => sum + request.memory_mb, 0),
      service_groups: this.services.size,
      volumes: this.volumes.size,
    };
    const hard = { instances, live_instances: instances, live_memory_mb: 65_536, service_groups: services, volumes };
    return [{ uuid: '00000000-0000-4000-8000-000000000000', used, hard, limits: { min_memory_mb: 16 } }];
  }
}

/** A body as the documents have it. */
function read<T>(shape: z.ZodType<T>, body: unknown): T {
  const result = shape.safeParse(body);
  if (!result.success) throw new Refused('MalformedRequest', z.prettifyError(result.error));
  return result.data;
}

/** Does the same for each; those that are refused are items, too. */
export function each<T extends Reference>(wanted: readonly T[], act: (item: T) => Items[number]): Items {
  return wanted.map((item) => {
    try {
      return { status: 'success', ...act(item) };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const { uuid, name } = item;
      return {
        status: 'error',
        error: error.error,
        message: error.message,
        ...(uuid === undefined ? { name } : { uuid }),
      };
    }
  });
}
