import { z } from 'zod';

// What requests may say, by the documents of the API. Unknown keys are refused, so that a client's mistakes show.

const id = { uuid: z.uuid().optional(), name: z.string().min(1).max(63).optional() };
const one = z.strictObject(id).refine(hasOneId, 'a uuid or a name');
const port = z.int().min(1).max(65_535);

function hasOneId({ uuid, name }: { uuid?: string | undefined; name?: string | undefined }): boolean {
  return (uuid === undefined) !== (name === undefined);
}

const services = z.array(
  z
    .strictObject({
      port,
      destination_port: port.optional(),
      handlers: z.array(z.enum(['tls', 'http', 'redirect'])).default([]),
    })
    .refine(({ port: own, handlers }) => own !== 80 || !handlers.includes('tls'), 'port 80 cannot have tls')
    .refine(
      ({ port: own, destination_port: to, handlers }) => !handlers.includes('redirect') || (own === 80 && to === 443),
      'redirect is only from 80 to 443',
    ),
);
const domains = z.array(z.strictObject({ name: z.string().min(1), certificate: one.optional() }));
const name = z.string().min(1).max(63).optional();

export const createInstance = z.strictObject({
  name,
  image: z.string().min(1),
  args: z.array(z.string()).default([]),
  env: z.record(z.string(), z.string()).default({}),
  memory_mb: z.int().min(1).default(128),
  vcpus: z.int().min(1).default(1),
  service_group: z.union([one, z.strictObject({ services, domains: domains.optional() })]).optional(),
  volumes: z
    .array(
      z.strictObject({
        ...id,
        size_mb: z.int().optional(),
        at: z.string().startsWith('/'),
        readonly: z.boolean().optional(),
      }),
    )
    .default([]),
  autostart: z.boolean().default(false),
  replicas: z.int().min(0).default(0),
  restart_policy: z.enum(['never', 'always', 'on-failure']).default('never'),
  scale_to_zero: z
    .strictObject({
      policy: z.enum(['on', 'off', 'idle']).optional(),
      stateful: z.boolean().optional(),
      cooldown_time_ms: z.int().optional(),
    })
    .optional(),
  wait_timeout_ms: z.int().optional(),
  features: z.array(z.enum(['delete-on-stop'])).default([]),
});
export type CreateInstance = z.infer<typeof createInstance>;

export const ids = z.array(one).min(1);
export const startInstances = z
  .array(z.strictObject({ ...id, wait_timeout_ms: z.int().optional() }).refine(hasOneId))
  .min(1);
export const stopInstances = z
  .array(
    z.strictObject({ ...id, force: z.boolean().optional(), drain_timeout_ms: z.int().optional() }).refine(hasOneId),
  )
  .min(1);

export const createService = z.strictObject({
  name,
  services,
  domains: domains.default([]),
  soft_limit: z.int().optional(),
  hard_limit: z.int().optional(),
});

const change = z
  .strictObject({
    ...id,
    op: z.enum(['set', 'add', 'del']),
    prop: z.enum(['services', 'domains', 'soft_limit', 'hard_limit']),
    value: z.unknown(),
    id: z.string().optional(),
  })
  .refine(hasOneId);
export const changeServices = z.union([change.transform((item) => [item]), z.array(change)]);
export const serviceValues = { services, domains, soft_limit: z.int(), hard_limit: z.int() } as const;

export const configureScaling = z.array(
  z
    .strictObject({
      ...id,
      min_size: z.int(),
      max_size: z.int(),
      warmup_time_ms: z.int(),
      cooldown_time_ms: z.int(),
      master: one,
    })
    .refine(hasOneId),
);
export const createPolicy = z.strictObject({
  name: z.string().min(1),
  type: z.literal('step'),
  metric: z.literal('cpu'),
  adjustment_type: z.enum(['percent', 'absolute', 'change']),
  steps: z
    .array(z.strictObject({ adjustment: z.int(), lower_bound: z.int().optional(), upper_bound: z.int().optional() }))
    .min(1)
    .max(4),
});

export const createVolume = z.strictObject({ name, size_mb: z.int().min(1) });
export const attachVolumes = z
  .array(
    z
      .strictObject({ ...id, attach_to: one, at: z.string().startsWith('/'), readonly: z.boolean().optional() })
      .refine(hasOneId),
  )
  .min(1);
export const detachVolumes = z.array(z.strictObject({ ...id, from: one.optional() }).refine(hasOneId)).min(1);
export const createCertificate = z.strictObject({
  name,
  cn: z.string().min(1),
  chain: z.string().includes('BEGIN CERTIFICATE'),
  pkey: z.string().includes('PRIVATE KEY'),
});
