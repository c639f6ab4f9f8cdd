import type { DomainRequest, InstanceRequest, VolumeRequest } from '../instances.ts';
import type { Port, RestartPolicy } from '../shapes.ts';

/** What is to run under a name. */
export interface Deployment {
  /** The service's name; its instances are called `<name>-v1`, `<name>-v1-2`, `<name>-v2` and so on. */
  readonly name: string;
  /** By digest and without the registry: `me/app@sha256:…`. */
  readonly image: string;
  /** What the image has by itself, to tell it from what was given. */
  readonly imageArgs: readonly string[];
  readonly imageEnv: Readonly<Record<string, string>>;
  /** Instead of the image's own. */
  readonly args?: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** Which of the environment's values must never be shown. */
  readonly secrets: readonly string[];
  /** MiB. */
  readonly memory: number;
  readonly vcpus: number;
  /** None: it cannot be reached from outside and never sleeps. */
  readonly ports: readonly Port[];
  /** None: the metro chooses one. */
  readonly domains: readonly DomainRequest[];
  readonly volumes: readonly VolumeRequest[];
  readonly scaleToZero?: InstanceRequest['scale_to_zero'] | undefined;
  /** How many instances serve. */
  readonly replicas: number;
  readonly restart: RestartPolicy;
}

/** The instance's request for one of a deployment's instances. */
export function instanceRequest(deployment: Deployment, name: string, service: string | undefined): InstanceRequest {
  const { image, args, env, memory, vcpus, volumes, restart } = deployment;
  const scaleToZero = scaleToZeroOf(deployment);
  return {
    name,
    image,
    ...(args === undefined ? {} : { args }),
    env,
    memory_mb: memory,
    vcpus,
    ...(service === undefined ? {} : { service_group: { uuid: service } }),
    ...(volumes.length === 0 ? {} : { volumes }),
    ...(scaleToZero === undefined ? {} : { scale_to_zero: scaleToZero }),
    restart_policy: restart,
    autostart: true,
  };
}

/** What nothing can wake must not sleep. */
export function scaleToZeroOf({ ports, scaleToZero }: Deployment): InstanceRequest['scale_to_zero'] {
  return ports.length === 0 ? { policy: 'off' } : scaleToZero;
}

/** Text without the values of secrets in it. */
export function withoutSecrets(text: string, { env, secrets }: Pick<Deployment, 'env' | 'secrets'>): string {
  // The longest first, so that no part of one is left where another is within it.
  const values = secrets.map((name) => env[name] ?? '').filter((value) => value !== '');
  return values.toSorted((a, b) => b.length - a.length).reduce((rest, value) => rest.replaceAll(value, '***'), text);
}
