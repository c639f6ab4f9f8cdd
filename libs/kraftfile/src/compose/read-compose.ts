import { Fault } from '@nx-kraft/base';
import { YAMLParseError, parse } from 'yaml';
import type { z } from 'zod';
import { interpolate } from '../interpolate.ts';
import type { Compose, ServiceNetwork } from './model.ts';
import { composeShape } from './shape.ts';

export type { Build, Compose, Service, ServiceNetwork, ServiceVolume } from './model.ts';

/** A Compose file that cannot be understood. */
export class ComposeFault extends Fault<'COMPOSE_INVALID'> {
  override readonly name = 'ComposeFault';
}

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads a Compose file, with its variables put in and the same said in one way for all of its short and long forms. What it
 * gives is written down, so the values of variables, which may be secrets, are put into no environment and no build argument:
 * `NAME: $NAME` is the host's when it runs, and what needs another one is passed over. Source: the Compose Specification
 * (compose-spec.io).
 *
 * @param file  its name, for faults
 * @throws ComposeFault COMPOSE_INVALID
 */
export function readCompose(text: string, file: string, variables: Variables): Compose {
  const { data, passedOver } = check(withVariables(parseYaml(text, file), file, variables), file);
  const { name, services, networks, volumes } = data;
  const settle = (values: Values, at: string, isWanted: (name: string, value: Settled) => boolean): Values => {
    const kept = Object.entries(values).flatMap(([key, value]): [string, string][] => {
      const settled = withoutVariables(value, file);
      if (isWanted(key, settled)) return [[key, settled.text]];
      passedOver.push(`${at}.${key}`);
      return [];
    });
    return Object.fromEntries(kept);
  };
  // An empty value is the host's.
  const isKnownOrHosts = (key: string, { text, unset }: Settled): boolean =>
    unset.length === 0 || (text === '' && unset.every((variable) => variable === key));
  const inNetwork = ({ name: key, address }: ServiceNetwork): ServiceNetwork => {
    const length = networks[key]?.subnet?.split('/')[1] ?? '24';
    return {
      name: networks[key]?.name ?? key,
      address: address === undefined ? undefined : `${address}/${length}`,
    };
  };
  return {
    name,
    services: Object.entries(services).map(([key, service]) => ({
      ...service,
      name: key,
      env: settle(service.env, `services.${key}.environment`, isKnownOrHosts),
      build: service.build && {
        ...service.build,
        args: settle(
          service.build.args,
          `services.${key}.build.args`,
          (_, { text, unset }) => unset.length === 0 && text !== '',
        ),
      },
      networks: service.networks.map(inNetwork),
      volumes: service.volumes.map((volume) => ({ ...volume, source: volumes[volume.source]?.name ?? volume.source })),
    })),
    networks: Object.entries(networks)
      .filter(([, { external }]) => !external)
      .map(([key, { name: own = key, subnet }]) => ({ name: own, subnet })),
    volumes: Object.entries(volumes)
      .filter(([, { external }]) => !external)
      .map(([key, { name: own = key }]) => own),
    passedOver,
  };
}

/** Checks the shape of a file, without the keys that it does not know. */
function check(value: unknown, file: string): { data: z.infer<typeof composeShape>; passedOver: string[] } {
  const passedOver: string[] = [];
  for (;;) {
    const read = composeShape.safeParse(value);
    if (read.success) return { data: read.data, passedOver };
    const unknown = read.error.issues.filter((issue) => issue.code === 'unrecognized_keys');
    const [first] = read.error.issues;
    if (unknown.length === 0) throw bad(file, `${first?.path.join('.') || 'it'}: ${first?.message ?? ''}`);
    for (const { path, keys } of unknown) {
      for (const key of keys) {
        remove(value, path, key);
        if (!key.startsWith('x-')) passedOver.push([...path, key].join('.'));
      }
    }
  }
}

function remove(value: unknown, path: readonly PropertyKey[], key: string): void {
  const parent = path.reduce((at, step) => (at as Record<PropertyKey, unknown>)[step], value);
  delete (parent as Record<string, unknown>)[key];
}

function bad(file: string, what: string): ComposeFault {
  return new ComposeFault('COMPOSE_INVALID', what, { at: file });
}

function parseYaml(text: string, file: string): unknown {
  try {
    return parse(text, { merge: true });
  } catch (error) {
    // The latter is for aliases that unfold to more than anybody can want.
    if (!(error instanceof YAMLParseError || error instanceof ReferenceError)) throw error;
    throw bad(file, error.message.replace(/:?\n[^]*/, ''));
  }
}

/** Where variables stay as they are until it is known what they are for. */
const written = /^services\..+\.(environment|build\.args)\./;

/** All texts of a value with variables in them. */
function withVariables(value: unknown, file: string, variables: Variables, path = ''): unknown {
  if (typeof value === 'string') {
    if (written.test(path)) return value;
    const { text, problems } = interpolate(value, variables);
    const problem = problems.find(({ kind }) => kind !== 'unset');
    if (problem !== undefined) throw bad(file, `'${value}': ${problem.message}`);
    return text;
  }
  const inside = (key: string | number, item: unknown): unknown =>
    withVariables(item, file, variables, `${path}${key}.`);
  if (Array.isArray(value)) return value.map((item, index) => inside(index, item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inside(key, item)]));
}

type Values = Readonly<Record<string, string>>;

interface Settled {
  /** With nothing for variables that have no default. */
  readonly text: string;
  /** The names of these variables. */
  readonly unset: readonly string[];
}

function withoutVariables(value: string, file: string): Settled {
  const { text, problems } = interpolate(value, {});
  const problem = problems.find(({ kind }) => kind === 'form');
  if (problem !== undefined) throw bad(file, `'${value}': ${problem.message}`);
  return { text, unset: problems.map(({ variable }) => variable) };
}
