import { z } from 'zod';
import { ShellSyntaxError, splitShellWords } from '../shell-words.ts';
import type { Build, Service, ServiceNetwork, ServiceVolume } from './model.ts';

// Short forms are made into long ones before they are checked, so that each thing has one shape, and what no machine knows is
// told by zod as a key that is too much.

const scalar = z.union([z.string(), z.number(), z.boolean()], 'this is to be a text or a number').transform(String);

/** A list, or one alone. */
const list = <Item extends z.ZodType>(item: Item) => z.preprocess(toList, z.array(item));
/** A mapping, or a list of names. */
const named = <Value extends z.ZodType>(value: Value) => z.preprocess(toMap, z.record(z.string(), value));
const variables = named(scalar.nullable().transform((value) => value ?? ''));
const words = z.preprocess(
  (value, context) => (typeof value === 'string' ? splitWords(value, context) : value),
  z.array(scalar, 'a command is a text or a list of texts'),
);

const build = z.preprocess(
  (value) => (typeof value === 'string' ? { context: value } : value),
  z.strictObject({
    context: z.string().default('.'),
    dockerfile: z.string().optional(),
    target: z.string().optional(),
    args: variables.default({}),
  }) satisfies z.ZodType<Build>,
);

const port = z.preprocess(
  (value) => (typeof value === 'string' || typeof value === 'number' ? splitPort(`${value}`) : value),
  z
    .strictObject({
      target: scalar,
      published: scalar.default('0'),
      host_ip: z.string().optional(),
      protocol: z.string().default('tcp'),
    })
    .transform(({ target, published, host_ip: address, protocol }) => {
      const from = address === undefined ? published : `${address}:${published}`;
      return protocol === 'tcp' ? `${from}:${target}` : `${from}:${target}/${protocol}`;
    }),
);

const volume = z.preprocess(
  (value) => (typeof value === 'string' ? splitVolume(value) : value),
  z
    .strictObject({
      type: z.enum(['bind', 'volume'], 'only folders and volumes can be shared').default('volume'),
      source: z.string('a volume without a name or a folder cannot be shared'),
      target: z.string(),
      read_only: z.boolean().default(false),
    })
    .transform(({ source, target, read_only: isReadOnly }): ServiceVolume => ({
      source,
      destination: target,
      isReadOnly,
    })),
);

const networks = named(z.strictObject({ ipv4_address: z.string().optional() }).nullable()).transform((all) =>
  Object.entries(all).map(([name, network]): ServiceNetwork => ({ name, address: network?.ipv4_address })),
);

const envFile = z.preprocess(
  (value) => (typeof value === 'string' ? { path: value } : value),
  z.strictObject({ path: z.string() }).transform(({ path }) => path),
);

const resources = z.strictObject({ memory: scalar.optional(), cpus: z.coerce.number().optional() });
const deploy = z.strictObject({
  resources: z.strictObject({ limits: resources.optional(), reservations: resources.optional() }).optional(),
});

const service = z
  .strictObject({
    image: z.string().optional(),
    build: build.optional(),
    platform: z.string().optional(),
    entrypoint: words.nullish(),
    command: words.nullish(),
    environment: variables.default({}),
    env_file: list(envFile).default([]),
    ports: list(port).default([]),
    volumes: list(volume).default([]),
    networks: networks.default([]),
    mac_address: z.string().optional(),
    mem_limit: scalar.optional(),
    mem_reservation: scalar.optional(),
    cpus: z.coerce.number().optional(),
    deploy: deploy.optional(),
    depends_on: named(z.unknown()).default({}),
  })
  .refine(({ image, build: own }) => image !== undefined || own !== undefined, 'a service has an image or a build')
  .transform((said): Omit<Service, 'name'> => {
    const { limits, reservations } = said.deploy?.resources ?? {};
    const memory = said.mem_limit ?? limits?.memory ?? said.mem_reservation ?? reservations?.memory;
    const cpus = said.cpus ?? limits?.cpus ?? reservations?.cpus;
    const args = [...(said.entrypoint ?? []), ...(said.command ?? [])];
    return {
      image: said.image,
      build: said.build,
      platform: said.platform,
      args: args.length === 0 ? undefined : args,
      env: said.environment,
      envFiles: said.env_file,
      ports: said.ports,
      volumes: said.volumes,
      networks: said.networks,
      mac: said.mac_address,
      memory: memory === undefined ? undefined : toQuantity(memory),
      cpus: cpus === undefined ? undefined : Math.max(1, Math.ceil(cpus)),
      dependsOn: Object.keys(said.depends_on),
    };
  });

const network = z
  .strictObject({
    name: z.string().optional(),
    external: z.boolean().default(false),
    ipam: z.strictObject({ config: z.array(z.strictObject({ subnet: z.string().optional() })).default([]) }).optional(),
  })
  .transform(({ ipam, ...others }) => ({ ...others, subnet: ipam?.config[0]?.subnet }));
const topVolume = z.strictObject({ name: z.string().optional(), external: z.boolean().default(false) });
const emptyMap = (value: unknown): unknown => value ?? {};

/** A Compose file whose variables have their values, with services in our words. Keys that none of these know are too much. */
export const composeShape = z.strictObject({
  /** Of the format, which has none any more. */
  version: scalar.optional(),
  name: z.string().optional(),
  services: z.record(z.string(), service),
  networks: z.record(z.string(), z.preprocess(emptyMap, network)).default({}),
  volumes: z.record(z.string(), z.preprocess(emptyMap, topVolume)).default({}),
});

function toList(value: unknown): unknown {
  return value === undefined || Array.isArray(value) ? value : [value];
}

/** `NAME=value` and `NAME` are a name with a value and without. */
function toMap(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return Object.fromEntries(
    value.map(String).map((item): [string, string | null] => {
      const at = item.indexOf('=');
      return at === -1 ? [item, null] : [item.slice(0, at), item.slice(at + 1)];
    }),
  );
}

/** `[[address:]published:]target[/protocol]` */
function splitPort(text: string): Readonly<Record<string, string>> {
  const [, address, published, target = '', protocol] = /^(?:(?:(.*):)?([^:]*):)?([^:/]*)(?:\/(.*))?$/.exec(text) ?? [];
  return {
    target,
    ...(published === undefined || published === '' ? {} : { published }),
    ...(address === undefined ? {} : { host_ip: address }),
    ...(protocol === undefined ? {} : { protocol }),
  };
}

/** `source:target[:options]`; a target alone has no source. */
function splitVolume(text: string): Readonly<Record<string, unknown>> {
  const [first = '', target, options = ''] = text.split(':');
  if (target === undefined) return { target: first };
  return { source: first, target, read_only: options.split(',').includes('ro') };
}

/** A command that is one text, as by a shell. */
function splitWords(text: string, context: z.RefinementCtx): readonly string[] {
  try {
    return splitShellWords(text);
  } catch (error) {
    if (!(error instanceof ShellSyntaxError)) throw error;
    context.addIssue({ code: 'custom', message: `'${text}' is no list of words: ${error.message}` });
    return z.NEVER;
  }
}

/** Docker's `k`, `m` and `g` are powers of 1024, whatever follows them. */
function toQuantity(size: string): string {
  return size.replace(/^(\d+(?:\.\d+)?)\s*(?:([kmg])?i?b?)$/i, (_, number: string, unit?: string) =>
    unit === undefined ? number : `${number}${unit.toUpperCase()}i`,
  );
}
