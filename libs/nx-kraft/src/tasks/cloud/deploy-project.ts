import { describeDeployment } from '@nx-kraft/cloud';
import { connectCloud } from './connect.ts';
import { openPackedImage } from './packed-image.ts';
import { type RolloutOptions, rollOut } from './roll-out.ts';
import { type CloudOptions, loadCloudProject } from './settings.ts';

export type DeployTaskOptions = CloudOptions & RolloutOptions;

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
  await rollOut(cloud, deployment, settings, options, signal, () => image.push());
}
