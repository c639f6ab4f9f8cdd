import { posix } from 'node:path';
import { ComposeFault, type Service } from '@nx-kraft/kraftfile/compose';
import type { ServiceProject } from './service-projects.ts';

/**
 * The options of the task `run` that a service asks for. Paths of a Compose file begin at its folder, those of a task at its
 * project's.
 *
 * @returns undefined for an option that it says nothing of
 */
export function runOptions(service: Service, base: string, root: string): Readonly<Record<string, unknown>> {
  const { args, env, mac, memory, cpus } = service;
  const moved = (path: string): string => (posix.isAbsolute(path) ? path : fromProject(posix.join(base, path), root));
  const volumes = service.volumes.map(({ source, destination, isReadOnly }) => {
    // A word without a slash is a volume by its name.
    const place = /^[.~/]|\//.test(source) ? moved(source) : source;
    return `${place}:${destination}${isReadOnly ? ':ro' : ''}`;
  });
  const networks = service.networks.map(({ name, address }) => (address === undefined ? name : `${name}:${address}`));
  return {
    args,
    env: Object.keys(env).length === 0 ? undefined : env,
    envFile: unlessEmpty(service.envFiles.map(moved)),
    ports: unlessEmpty(service.ports),
    volumes: unlessEmpty(volumes),
    networks: unlessEmpty(networks),
    mac,
    memory,
    cpus,
  };
}

/**
 * The names of the projects that must answer before a service starts.
 *
 * @throws ComposeFault COMPOSE_INVALID for a service that there is not
 */
export function dependenciesOf(
  { name, dependsOn }: Service,
  projects: readonly ServiceProject[],
  file: string,
): readonly string[] {
  return dependsOn.map((wanted) => {
    const project = projects.find(({ service }) => service.name === wanted);
    if (project !== undefined) return project.name;
    throw new ComposeFault('COMPOSE_INVALID', `${name} depends on ${wanted}, which is no service`, { at: file });
  });
}

function fromProject(path: string, root: string): string {
  const relative = posix.relative(root, path);
  return relative.startsWith('..') ? relative : `./${relative}`;
}

function unlessEmpty<Item>(items: readonly Item[]): readonly Item[] | undefined {
  return items.length === 0 ? undefined : items;
}
