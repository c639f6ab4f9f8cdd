import { join, sep } from 'node:path';
import { outputDirectory } from '@nx-kraft/kraftfile/outputs';
import { Instances, isActive } from '@nx-kraft/machine';
import { loadKraftproject } from './kraftproject.ts';
import { tell } from './task.ts';

export interface StopOptions {
  /** The Kraftfile, relative to the workspace. */
  readonly kraftfile: string;
  /** Whether the machines are removed, too. */
  readonly rm?: boolean;
}

/** Stops all machines that run what was built for a project, and with `rm` removes these and those that have ended. */
export async function stopTarget(workspaceRoot: string, { kraftfile, rm }: StopOptions): Promise<void> {
  const project = await loadKraftproject(workspaceRoot, kraftfile);
  const builds = join(project.folder, outputDirectory(project.kraftfile)) + sep;
  const instances = new Instances();
  const own = (await instances.list()).filter(({ plan }) => plan.kernel.startsWith(builds));
  const meant = rm === true ? own : own.filter(isActive);
  await Promise.all(meant.map(({ id }) => (rm === true ? instances.remove(id) : instances.stop(id))));
  for (const { name } of meant) tell(`${name} is ${rm === true ? 'removed' : 'stopped'}`);
  if (meant.length === 0) tell('no machine of this project runs');
}
