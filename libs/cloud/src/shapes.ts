import { z } from 'zod';

/** Fields that the API leaves out or sets to null when there is nothing to say. */
const text = z.string().nullish();
const count = z.number().nullish();
const named = z.looseObject({ uuid: text, name: text });

export const handlers = ['tls', 'http', 'redirect'] as const;
export type Handler = (typeof handlers)[number];

export const restartPolicies = ['never', 'always', 'on-failure'] as const;
export type RestartPolicy = (typeof restartPolicies)[number];

export const scaleToZeroPolicies = ['on', 'off', 'idle'] as const;

/** A port to the world, and where its connections go. */
export interface Port {
  readonly port: number;
  readonly destination_port: number;
  readonly handlers: readonly Handler[];
}

const domainShape = z.looseObject({
  fqdn: text,
  certificate: z.looseObject({ uuid: text, name: text, state: text }).nullish(),
});

const portShape = z.looseObject({
  port: z.number(),
  destination_port: z.number().nullish(),
  handlers: z.array(z.string()).nullish(),
});

export const instanceShape = z.looseObject({
  uuid: z.string(),
  name: z.string(),
  created_at: text,
  started_at: text,
  stopped_at: text,
  uptime_ms: count,
  restart: z.looseObject({ attempt: count, next_at: text }).nullish(),
  restart_policy: text,
  stop_code: count,
  stop_reason: count,
  start_count: count,
  restart_count: count,
  exit_code: count,
  // Newer states must not make a listing fail.
  state: z.string().default('unknown'),
  image: text,
  memory_mb: count,
  vcpus: count,
  args: z.array(z.string()).nullish(),
  env: z.record(z.string(), z.string()).nullish(),
  private_fqdn: text,
  private_ip: text,
  service_group: z.looseObject({ uuid: text, name: text, domains: z.array(domainShape).nullish() }).nullish(),
  scale_to_zero: z.looseObject({ policy: text, stateful: z.boolean().nullish(), cooldown_time_ms: count }).nullish(),
  volumes: z.array(z.looseObject({ uuid: text, name: text, at: text, readonly: z.boolean().nullish() })).nullish(),
  boot_time_us: count,
});
export type CloudInstance = z.infer<typeof instanceShape>;

export const changedShape = z.looseObject({
  uuid: text,
  name: text,
  state: text,
  previous_state: text,
});
export type Changed = z.infer<typeof changedShape>;

const rangeShape = z.looseObject({ start: z.number(), end: z.number() });
export const logShape = z.looseObject({
  uuid: text,
  name: text,
  output: z.string().default(''),
  range: rangeShape.nullish(),
  available: rangeShape.nullish(),
  state: text,
});
export type LogPage = z.infer<typeof logShape>;

export const metricsShape = z.looseObject({
  uuid: text,
  name: text,
  rss_bytes: count,
  cpu_time_ms: count,
  rx_bytes: count,
  rx_packets: count,
  tx_bytes: count,
  tx_packets: count,
  nconns: count,
  nreqs: count,
  nqueued: count,
  ntotal: count,
});

export const serviceShape = z.looseObject({
  uuid: z.string(),
  name: z.string().default(''),
  created_at: text,
  persistent: z.boolean().nullish(),
  autoscale: z.boolean().nullish(),
  services: z.array(portShape).nullish(),
  domains: z.array(domainShape).nullish(),
  instances: z.array(named).nullish(),
  soft_limit: count,
  hard_limit: count,
});
export type Service = z.infer<typeof serviceShape>;

const stepShape = z.looseObject({ adjustment: z.number(), lower_bound: count, upper_bound: count });
export const policyShape = z.looseObject({
  name: z.string(),
  type: text,
  metric: text,
  adjustment_type: text,
  steps: z.array(stepShape).nullish(),
  enabled: z.boolean().nullish(),
});
export type Policy = z.infer<typeof policyShape>;

export const autoscaleShape = z.looseObject({
  uuid: text,
  name: text,
  enabled: z.boolean().nullish(),
  min_size: count,
  max_size: count,
  warmup_time_ms: count,
  cooldown_time_ms: count,
  master: named.nullish(),
  policies: z.array(policyShape).nullish(),
});
export type Autoscale = z.infer<typeof autoscaleShape>;

export const volumeShape = z.looseObject({
  uuid: z.string(),
  name: z.string().default(''),
  created_at: text,
  state: text,
  size_mb: count,
  attached_to: z.array(named).nullish(),
  mounted_by: z.array(named).nullish(),
  persistent: z.boolean().nullish(),
});
export type CloudVolume = z.infer<typeof volumeShape>;

export const certificateShape = z.looseObject({
  uuid: z.string(),
  name: z.string().default(''),
  created_at: text,
  common_name: text,
  state: text,
  validation: z.looseObject({ attempt: count, next: text }).nullish(),
  subject: text,
  issuer: text,
  serial_number: text,
  not_before: text,
  not_after: text,
  service_groups: z.array(named).nullish(),
});
export type Certificate = z.infer<typeof certificateShape>;

export const imageShape = z.looseObject({
  digest: z.string(),
  tags: z.array(z.string()).nullish(),
  initrd: z.union([z.boolean(), z.string()]).nullish(),
  size_in_bytes: count,
  args: z.union([z.string(), z.array(z.string())]).nullish(),
  kernel_args: text,
  labels: z.record(z.string(), z.string()).nullish(),
});
export type CloudImage = z.infer<typeof imageShape>;

const amounts = z.record(z.string(), z.unknown()).nullish();
export const quotaShape = z.looseObject({ uuid: text, used: amounts, hard: amounts, limits: amounts });
export type Quota = z.infer<typeof quotaShape>;

/** What is answered to changes whose result nobody needs. */
export const anyShape = z.looseObject({ uuid: text, name: text });
