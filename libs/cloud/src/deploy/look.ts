import type { Cloud } from '../cloud.ts';
import type { CloudInstance, Service } from '../shapes.ts';

/** What is there under a deployment's name. */
export interface Seen {
  readonly name: string;
  readonly service: Service | undefined;
  /** Newest version first. */
  readonly instances: readonly CloudInstance[];
}

/** More instances than this are not asked for by their UUIDs: the request would become too long. */
const mostIds = 100;

/**
 * Looks at what is deployed under a name: the service of this name with all instances in it, or where there is none, the
 * instances that are named after it. Two requests, or one more for each 500 instances.
 */
export async function lookAt(cloud: Cloud, name: string): Promise<Seen> {
  const service = await cloud.services.find(name);
  if (service === undefined) {
    const named = (await cloud.instances.list()).filter((instance) => versionOf(name, instance) > 0);
    return { name, service, instances: sorted(name, named) };
  }
  const ids = (service.instances ?? []).map(({ uuid }) => uuid ?? '').filter((uuid) => uuid !== '');
  if (ids.length === 0) return { name, service, instances: [] };
  if (ids.length <= mostIds) return { name, service, instances: sorted(name, await cloud.instances.list(ids)) };
  const members = (await cloud.instances.list()).filter(({ uuid }) => ids.includes(uuid));
  return { name, service, instances: sorted(name, members) };
}

function sorted(name: string, instances: readonly CloudInstance[]): readonly CloudInstance[] {
  return instances.toSorted((a, b) => versionOf(name, b) - versionOf(name, a) || (a.name < b.name ? -1 : 1));
}

/** The number in an instance's name, or 0 for one that was not deployed by us. */
export function versionOf(name: string, instance: Pick<CloudInstance, 'name'>): number {
  if (!instance.name.startsWith(`${name}-v`)) return 0;
  return Number(/^(\d+)(-\d+)?$/.exec(instance.name.slice(name.length + 2))?.[1] ?? 0);
}

/** The names of a new version's instances, as many as are asked for, beside those that there are already. */
export function newNames(name: string, version: number, taken: ReadonlySet<string>, count: number): readonly string[] {
  const names: string[] = [];
  for (let index = 1; names.length < count; index++) {
    const candidate = index === 1 ? `${name}-v${version}` : `${name}-v${version}-${index}`;
    if (!taken.has(candidate)) names.push(candidate);
  }
  return names;
}

/** Whether an instance serves, or will; one that sleeps does. */
export function isUp({ state }: CloudInstance): boolean {
  return !['stopped', 'stopping', 'draining'].includes(state);
}

/** Where a service can be reached, for people and for tests. */
export function urlsOf(service: Service | undefined): readonly string[] {
  const ports = service?.services ?? [];
  return (service?.domains ?? []).flatMap(({ fqdn }) => {
    if (typeof fqdn !== 'string') return [];
    const host = fqdn.replace(/\.$/, '');
    return ports.flatMap(({ port, handlers }) => {
      if (handlers?.includes('redirect') === true) return [];
      if (handlers?.includes('http') !== true) return [`${host}:${port}`];
      const isSecure = handlers.includes('tls');
      const isUsual = port === (isSecure ? 443 : 80);
      return [`${isSecure ? 'https' : 'http'}://${host}${isUsual ? '' : `:${port}`}`];
    });
  });
}
