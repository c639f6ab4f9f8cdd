import { type Api, type Id, reference } from './api.ts';
import { wasRefusedFor } from './fault.ts';
import type { DomainRequest } from './instances.ts';
import { anyShape, autoscaleShape, policyShape, type Port, serviceShape, type Service } from './shapes.ts';

export interface NewService {
  readonly name?: string;
  readonly services: readonly Port[];
  readonly domains?: readonly DomainRequest[];
  readonly soft_limit?: number;
  readonly hard_limit?: number;
}

/** One change of a service. */
export interface ServiceChange {
  readonly op: 'set' | 'add' | 'del';
  readonly prop: 'services' | 'domains' | 'soft_limit' | 'hard_limit';
  readonly value: unknown;
}

/** Services (service groups): ports and domains, and the instances that serve them. */
export class Services {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** @param ids  names or UUIDs; none for all */
  list(ids: readonly Id[] = []): Promise<Service[]> {
    return this.#api.read('/services', 'service_groups', serviceShape, ids);
  }

  async find(id: Id): Promise<Service | undefined> {
    try {
      return (await this.list([id]))[0];
    } catch (error) {
      if (wasRefusedFor(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  create(service: NewService): Promise<Service[]> {
    return this.#api.write('POST', '/services', 'service_groups', serviceShape, service);
  }

  change(id: Id, change: ServiceChange) {
    const body = { ...reference(id), ...change };
    // The first generation takes one object, the newer one a list.
    const sent = this.#api.metro.selection === 'body' ? body : [body];
    return this.#api.write('PATCH', '/services', 'service_groups', anyShape, sent);
  }

  remove(ids: readonly Id[]) {
    return this.#api.write('DELETE', '/services', 'service_groups', anyShape, ids.map(reference));
  }
}

export interface AutoscaleRequest {
  readonly min_size: number;
  readonly max_size: number;
  readonly warmup_time_ms: number;
  readonly cooldown_time_ms: number;
  /** The instance that others are made after. */
  readonly master: Id;
}

export interface StepPolicy {
  readonly name: string;
  readonly type: 'step';
  readonly metric: 'cpu';
  readonly adjustment_type: 'percent' | 'absolute' | 'change';
  /** One to four steps without gaps between them. */
  readonly steps: readonly { adjustment: number; lower_bound?: number; upper_bound?: number }[];
}

/** Autoscale: how many instances a service has, by rules. */
export class Scaling {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  list(ids: readonly Id[] = []) {
    return this.#api.read('/services/autoscale', 'service_groups', autoscaleShape, ids);
  }

  configure(service: Id, { master, ...request }: AutoscaleRequest) {
    const body = [{ ...reference(service), ...request, master: reference(master) }];
    return this.#api.write('POST', '/services/autoscale', 'service_groups', anyShape, body);
  }

  reset(services: readonly Id[]) {
    return this.#api.write('DELETE', '/services/autoscale', 'service_groups', anyShape, services.map(reference));
  }

  /** @param service  a UUID, as the paths of policies have it */
  addPolicy(service: string, policy: StepPolicy) {
    return this.#api.write(
      'POST',
      `/services/${service}/autoscale/policies`,
      'policies',
      policyShape.partial(),
      policy,
    );
  }

  policies(service: string, name: string) {
    return this.#api.readBy(policyPath(service, name), 'policies', policyShape, {});
  }

  removePolicy(service: string, name: string) {
    return this.#api.write('DELETE', policyPath(service, name), 'policies', policyShape.partial(), undefined);
  }
}

function policyPath(service: string, name: string): string {
  return `/services/${service}/autoscale/policies/${encodeURIComponent(name)}`;
}
