import { type Rollout, deploy, describeDeployment, describePlan } from '@nx-kraft/cloud';
import { tell } from '../task.ts';
import { connectCloud } from './connect.ts';
import { openPackedImage } from './packed-image.ts';
import { type CloudOptions, loadCloudProject } from './settings.ts';

export interface DeployTaskOptions extends CloudOptions {
  readonly dryRun?: boolean;
  readonly rollout?: Rollout;
  /** Seconds. */
  readonly rolloutWait?: number;
  readonly timeout?: number;
}

/** Makes what runs on Unikraft Cloud the image that was packed, with the settings of the project. */
export async function deployProject(
  workspaceRoot: string,
  options: DeployTaskOptions,
  signal: AbortSignal,
): Promise<void> {
  const { project, settings, name, metro } = await loadCloudProject(workspaceRoot, options);
  const cloud = await connectCloud(metro);
  const image = await openPackedImage(project, settings, cloud.token);
  const deployment = describeDeployment(name, settings, image.facts, process.env);
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
    bringImage: async () => onStep(`pushed ${await image.push()}`),
    onStep,
  });
  const lines = describePlan(plan, deployment);
  if (options.json === true) {
    const planned = { reasons: plan.reasons, start: plan.start, retire: plan.retire.map((instance) => instance.name) };
    tell(JSON.stringify({ ...deployed, requests: cloud.api.requests, plan: planned }, undefined, 2));
    return;
  }
  if (options.dryRun === true || !deployed.changed) for (const line of lines) tell(line);
  else tell(`${name} is version ${deployed.version} in ${deployed.metro}, image ${deployed.image}`);
  for (const url of deployed.urls) tell(url);
}
