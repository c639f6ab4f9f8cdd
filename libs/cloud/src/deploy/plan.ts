import type { CloudInstance } from '../shapes.ts';
import { describePort, differences, serviceChanges } from './compare.ts';
import { type Deployment, scaleToZeroOf } from './deployment.ts';
import { isUp, newNames, type Seen, versionOf } from './look.ts';

/** What becomes of the instances that served before: stopped and kept for a rollback, removed, or left to serve along. */
export const rollouts = ['stop', 'remove', 'keep'] as const;
export type Rollout = (typeof rollouts)[number];

/** What a deployment will do. */
export interface Plan {
  readonly name: string;
  readonly version: number;
  readonly service: 'none' | 'create' | 'change' | 'remain';
  readonly serviceChanges: ReturnType<typeof serviceChanges>;
  /** Names of instances to create. */
  readonly start: readonly string[];
  /** Instances that serve and will not any more. */
  readonly retire: readonly CloudInstance[];
  /** Instances that stopped long ago, and that no rollback needs. */
  readonly forget: readonly CloudInstance[];
  /** Instances that are as they should be. */
  readonly remain: readonly CloudInstance[];
  /** Why there is something to do. */
  readonly reasons: readonly string[];
  readonly isUnchanged: boolean;
}

/** @param history  how many earlier versions are kept, stopped, for rollbacks */
export function planDeployment(
  seen: Seen,
  deployment: Deployment,
  { rollout, history }: { rollout: Rollout; history: number },
): Plan {
  const { name, replicas, ports } = deployment;
  const up = seen.instances.filter(isUp);
  const compared = up.map((instance) => ({ instance, found: differences(instance, deployment) }));
  const fitting = compared.filter(({ found }) => found.length === 0).map(({ instance }) => instance);
  const remain = fitting.slice(0, replicas);
  const missing = replicas - remain.length;
  const replaced = up.filter((instance) => !remain.includes(instance));
  const retire = rollout === 'keep' ? fitting.slice(replicas) : replaced;
  const newest = Math.max(0, ...seen.instances.map((instance) => versionOf(name, instance)));
  const current = remain[0];
  const version = missing > 0 ? (current === undefined ? newest + 1 : versionOf(name, current)) : newest;
  const changes = seen.service === undefined ? [] : serviceChanges(seen.service, deployment);
  const service =
    seen.service === undefined ? (ports.length > 0 ? 'create' : 'none') : changes.length > 0 ? 'change' : 'remain';
  const taken = new Set(seen.instances.map((instance) => instance.name));
  const start = newNames(name, Math.max(1, version), taken, missing);
  const isUnchanged = missing === 0 && retire.length === 0 && ['none', 'remain'].includes(service);
  return {
    name,
    version: Math.max(1, version),
    service,
    serviceChanges: changes,
    start,
    retire,
    forget: isUnchanged ? [] : forgotten(seen, retire, rollout === 'stop' ? history : 0),
    remain,
    reasons: [
      ...(up.length === 0 ? ['nothing serves yet'] : []),
      ...new Set(compared.filter(({ instance }) => retire.includes(instance)).flatMap(({ found }) => found)),
      ...(remain.length > 0 && missing > 0 ? [`replicas: ${remain.length} → ${replicas}`] : []),
      ...(fitting.length > replicas ? [`replicas: ${fitting.length} → ${replicas}`] : []),
      ...changes.map(({ text }) => text),
    ],
    isUnchanged,
  };
}

/** Versions beyond those that are kept: the one that retires now is the first of them. */
function forgotten(
  { name, instances }: Seen,
  retire: readonly CloudInstance[],
  history: number,
): readonly CloudInstance[] {
  const kept = new Set(retire.map((instance) => versionOf(name, instance)));
  const stopped = instances.filter((instance) => !isUp(instance) && versionOf(name, instance) > 0);
  return stopped.filter((instance) => {
    const version = versionOf(name, instance);
    if (kept.size < history) kept.add(version);
    return history === 0 || !kept.has(version);
  });
}

/** The plan as lines for people; secrets are names only. */
export function describePlan(plan: Plan, deployment: Deployment): readonly string[] {
  if (plan.isUnchanged) return [`${plan.name} is as it should be`];
  const { memory, vcpus, image, env, secrets, ports, domains, volumes, restart } = deployment;
  const names = Object.keys(env).map((name) => (secrets.includes(name) ? `${name} (secret)` : name));
  const sleep = Object.entries(scaleToZeroOf(deployment) ?? {}).map(([field, value]) => `${field} ${String(value)}`);
  const facts: readonly (readonly [string, string])[] = [
    ['image', image],
    ['size', `${memory} MiB, ${vcpus} vCPU`],
    ['restart', restart],
    ['env', names.join(', ')],
    ['volumes', volumes.map((volume) => `${'name' in volume ? volume.name : volume.uuid} at ${volume.at}`).join(', ')],
    ['scale to zero', sleep.join(', ')],
  ];
  const service = {
    none: [],
    remain: [],
    create: [
      `+ service ${plan.name}`,
      `    ports: ${ports.map(describePort).join(', ')}`,
      ...(domains.length === 0 ? [] : [`    domains: ${domains.map(({ name }) => name).join(', ')}`]),
    ],
    change: [`~ service ${plan.name}`, ...plan.serviceChanges.map(({ text }) => `    ${text}`)],
  }[plan.service];
  return [
    ...plan.reasons.map((reason) => `because ${reason}`),
    ...service,
    ...plan.start.map((name) => `+ instance ${name}`),
    ...(plan.start.length === 0
      ? []
      : facts.filter(([, text]) => text !== '').map(([what, text]) => `    ${what}: ${text}`)),
    ...plan.retire.map((instance) => `- instance ${instance.name} serves no more`),
    ...plan.forget.map((instance) => `- instance ${instance.name} is removed`),
  ];
}
