import { type Cloud, type Deployment, type Rollout, type Settings, deploy, describePlan } from '@nx-kraft/cloud';
import { tell } from '../task.ts';

export interface RolloutOptions {
  readonly json?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
  readonly rollout?: Rollout | undefined;
  /** Seconds. */
  readonly rolloutWait?: number | undefined;
  readonly timeout?: number | undefined;
}

/**
 * Makes what runs on Unikraft Cloud what is described, and tells about it.
 *
 * @param bringImage  sends the image where the metro takes it from, and gives its name there; called only when needed
 */
export async function rollOut(
  cloud: Cloud,
  deployment: Deployment,
  settings: Settings,
  options: RolloutOptions,
  signal: AbortSignal,
  bringImage?: () => Promise<string>,
): Promise<void> {
  // With JSON the standard output is for the result alone.
  const onStep = (text: string): void =>
    void (options.json === true ? process.stderr : process.stdout).write(`${text}\n`);
  const { plan, ...deployed } = await deploy(cloud, deployment, {
    rollout: options.rollout ?? settings.rollout ?? 'stop',
    history: settings.history ?? 1,
    timeout: options.timeout ?? settings.timeout ?? 60,
    rolloutWait: options.rolloutWait ?? settings.rolloutWait ?? 10,
    dryRun: options.dryRun === true,
    signal,
    ...(bringImage === undefined ? {} : { bringImage: async () => onStep(`pushed ${await bringImage()}`) }),
    onStep,
  });
  const { name } = deployment;
  if (options.json === true) {
    const planned = { reasons: plan.reasons, start: plan.start, retire: plan.retire.map((instance) => instance.name) };
    tell(JSON.stringify({ ...deployed, requests: cloud.api.requests, plan: planned }, undefined, 2));
    return;
  }
  if (options.dryRun === true || !deployed.changed) for (const line of describePlan(plan, deployment)) tell(line);
  else tell(`${name} is version ${deployed.version} in ${deployed.metro}, image ${deployed.image}`);
  for (const url of deployed.urls) tell(url);
}
