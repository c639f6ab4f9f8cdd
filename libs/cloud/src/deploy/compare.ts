import type { CloudInstance, Service } from '../shapes.ts';
import { type Deployment, scaleToZeroOf } from './deployment.ts';

/** How an instance is not what is to run: one line each, without the values of the environment. */
export function differences(instance: CloudInstance, deployment: Deployment): readonly string[] {
  const { image, imageArgs, imageEnv, args, env, memory, vcpus, restart, volumes } = deployment;
  const found: string[] = [];
  const compare = (what: string, is: string, shall: string): void => {
    if (is !== shall) found.push(`${what}: ${is || 'none'} → ${shall || 'none'}`);
  };
  compare('image', instance.image ?? '', image);
  compare('memory', `${instance.memory_mb ?? 0} MiB`, `${memory} MiB`);
  compare('vcpus', String(instance.vcpus ?? 1), String(vcpus));
  compare('restart', instance.restart_policy ?? 'never', restart);
  const given = instance.args ?? [];
  if (args === undefined ? given.length > 0 && !isSame(given, imageArgs) : !isSame(given, args)) {
    compare('args', JSON.stringify(given), JSON.stringify(args ?? imageArgs));
  }
  found.push(...environmentDifferences(instance.env ?? {}, env, imageEnv));
  const mounts = (instance.volumes ?? []).map((volume) => `${volume.at}${volume.readonly === true ? ':ro' : ''}`);
  const wanted = volumes.map((volume) => `${volume.at}${volume.readonly === true ? ':ro' : ''}`);
  compare('volumes', mounts.toSorted().join(', '), wanted.toSorted().join(', '));
  found.push(...sleepDifferences(instance, deployment));
  return found;
}

/** Whether the image's own values are part of an instance's environment is for the API to say: both are the same. */
function environmentDifferences(
  is: Readonly<Record<string, string>>,
  shall: Readonly<Record<string, string>>,
  image: Readonly<Record<string, string>>,
): readonly string[] {
  const names = [...new Set([...Object.keys(is), ...Object.keys(shall)])].toSorted();
  return names
    .filter((name) => (shall[name] === undefined ? is[name] !== image[name] : is[name] !== shall[name]))
    .map(
      (name) => `env ${name}: ${is[name] === undefined ? 'new' : shall[name] === undefined ? 'gone' : 'another value'}`,
    );
}

/** Only what was asked for is compared: the API fills in the rest, and reads labels of the image. */
function sleepDifferences(instance: CloudInstance, deployment: Deployment): readonly string[] {
  const is = instance.scale_to_zero;
  return Object.entries(scaleToZeroOf(deployment) ?? {}).flatMap(([field, shall]) => {
    const now = is?.[field];
    return now === shall ? [] : [`scale to zero, ${field}: ${JSON.stringify(now ?? null)} → ${JSON.stringify(shall)}`];
  });
}

/** What of a service must change; empty when nothing must. */
export function serviceChanges(
  service: Service,
  { ports, domains }: Deployment,
): readonly { readonly prop: 'services' | 'domains'; readonly text: string }[] {
  const is = (service.services ?? []).map(describePort);
  const shall = ports.map(describePort);
  const names = (service.domains ?? []).map(({ fqdn }) => (fqdn ?? '').replace(/\.$/, ''));
  const hasDomain = (name: string) =>
    names.some((fqdn) => (name.endsWith('.') ? fqdn === name.slice(0, -1) : fqdn.split('.')[0] === name));
  const areDomainsSame =
    domains.length === 0 || (domains.length === names.length && domains.every(({ name }) => hasDomain(name)));
  return [
    ...(isSame(is.toSorted(), shall.toSorted())
      ? []
      : [{ prop: 'services' as const, text: `ports: ${is.join(', ') || 'none'} → ${shall.join(', ') || 'none'}` }]),
    ...(areDomainsSame
      ? []
      : [
          {
            prop: 'domains' as const,
            text: `domains: ${names.join(', ') || 'none'} → ${domains.map(({ name }) => name).join(', ')}`,
          },
        ]),
  ];
}

/** A port, as it is asked for or as the API tells it. */
interface AnyPort {
  readonly port: number;
  readonly destination_port?: number | null | undefined;
  readonly handlers?: readonly string[] | null | undefined;
}

/** A port as it is written: `443:8080/http+tls`. */
export function describePort({ port, destination_port: to, handlers }: AnyPort): string {
  const words = (handlers ?? []).toSorted().join('+');
  return `${port}:${to ?? port}${words === '' ? '' : `/${words}`}`;
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
