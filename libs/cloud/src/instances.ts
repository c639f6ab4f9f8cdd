import { type Api, type Id, reference } from './api.ts';
import { wasRefusedFor } from './fault.ts';
import {
  changedShape,
  instanceShape,
  logShape,
  metricsShape,
  type CloudInstance,
  type LogPage,
  type Port,
  type RestartPolicy,
} from './shapes.ts';

/** A domain for a service: with a dot at its end as it is, else below the metro's own domain. */
export interface DomainRequest {
  readonly name: string;
  readonly certificate?: { readonly uuid: string } | { readonly name: string };
}

/** A service that an instance brings along, or joins. */
export type ServiceRequest =
  | { readonly uuid: string }
  | { readonly name: string }
  | { readonly services: readonly Port[]; readonly domains?: readonly DomainRequest[] };

/** What an instance is to be. */
export interface InstanceRequest {
  readonly name?: string;
  /** Without the registry: `me/app@sha256:…`, or `nginx:latest` for an official one. */
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly memory_mb?: number;
  readonly vcpus?: number;
  readonly service_group?: ServiceRequest;
  readonly volumes?: readonly VolumeRequest[];
  readonly autostart?: boolean;
  readonly replicas?: number;
  readonly restart_policy?: RestartPolicy;
  readonly scale_to_zero?: {
    readonly policy?: string;
    readonly stateful?: boolean;
    readonly cooldown_time_ms?: number;
  };
  readonly wait_timeout_ms?: number;
  readonly features?: readonly string[];
}

export type VolumeRequest = ({ readonly uuid: string } | { readonly name: string }) & {
  readonly at: string;
  readonly size_mb?: number;
  readonly readonly?: boolean;
};

/** Instances: one machine each, which runs an image. */
export class CloudInstances {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** @param ids  names or UUIDs; none for all */
  list(ids: readonly Id[] = []): Promise<CloudInstance[]> {
    return this.#api.read('/instances', 'instances', instanceShape, ids);
  }

  /** The instance, or undefined when there is none of this name. */
  async find(id: Id): Promise<CloudInstance | undefined> {
    try {
      return (await this.list([id]))[0];
    } catch (error) {
      if (wasRefusedFor(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  /** Creates an instance, and its replicas: all of them are given. Not made again when the connection fails. */
  create(request: InstanceRequest): Promise<CloudInstance[]> {
    const { wait_timeout_ms: wait = 0 } = request;
    // The answer of a creation lacks a name now and then; it has one when it is read.
    return this.#api.write(
      'POST',
      '/instances',
      'instances',
      instanceShape.extend({ name: nameOr(request.name) }),
      request,
      {
        wait,
      },
    );
  }

  remove(ids: readonly Id[]) {
    return this.#api.write('DELETE', '/instances', 'instances', changedShape, ids.map(reference));
  }

  /** @param wait  milliseconds to wait until they run */
  start(ids: readonly Id[], wait = 0) {
    const body = ids.map((id) => ({ ...reference(id), ...(wait > 0 ? { wait_timeout_ms: wait } : {}) }));
    return this.#api.write('PUT', '/instances/start', 'instances', changedShape, body, { wait });
  }

  /**
   * @param drain  milliseconds for connections that are open
   * @param force  at once
   */
  stop(ids: readonly Id[], { drain = 0, force = false }: { drain?: number; force?: boolean } = {}) {
    const more = { ...(drain > 0 ? { drain_timeout_ms: drain } : {}), ...(force ? { force: true } : {}) };
    return this.#api.write(
      'PUT',
      '/instances/stop',
      'instances',
      changedShape,
      ids.map((id) => ({ ...reference(id), ...more })),
      { wait: drain },
    );
  }

  /** @param timeout  milliseconds */
  wait(ids: readonly Id[], state: string, timeout: number) {
    return this.#api.read('/instances/wait', 'instances', changedShape, ids, { state, timeout_ms: timeout });
  }

  /**
   * One page of the console's output.
   *
   * @param offset  bytes from the beginning; negative from the end
   * @param limit   bytes, at most 16,383
   */
  async log(id: Id, { offset, limit }: { offset?: number; limit?: number } = {}): Promise<LogPage | undefined> {
    return (await this.#api.read('/instances/log', 'instances', logShape, [id], { offset, limit }))[0];
  }

  metrics(ids: readonly Id[]) {
    return this.#api.read('/instances/metrics', 'instances', metricsShape, ids);
  }
}

function nameOr(name: string | undefined) {
  return name === undefined ? instanceShape.shape.name : instanceShape.shape.name.default(name);
}
