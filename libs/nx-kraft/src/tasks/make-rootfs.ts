import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceAtomically } from '@nx-kraft/base';
import { rootfsName } from '@nx-kraft/kraftfile';
import {
  type DockerfileOptions,
  type RootfsRequest,
  buildRootfs,
  describeRootfs,
  rootfsInputs,
  unexpectedReads,
} from '@nx-kraft/rootfs';
import { baseImages } from './base-images.ts';
import { ProjectFault, loadKraftproject, plannedTargets } from './kraftproject.ts';
import { readWorkspaceLock } from './lock.ts';
import { writeRunDefaults } from './run-defaults.ts';
import { sourceDateEpoch, tell } from './task.ts';

/** How a Dockerfile is built, as `docker buildx build` calls it. */
export type RootfsTaskOptions = Pick<
  DockerfileOptions,
  | 'buildArgs'
  | 'buildContexts'
  | 'builder'
  | 'buildkitHost'
  | 'context'
  | 'network'
  | 'noCache'
  | 'platform'
  | 'secrets'
  | 'ssh'
  | 'target'
>;

export interface RootfsOptions extends RootfsTaskOptions {
  /** The Kraftfile, relative to the workspace. */
  readonly kraftfile: string;
}

/** Makes a Kraftfile's root file system for each architecture that it is for. */
export async function makeRootfs(workspaceRoot: string, options: RootfsOptions, signal: AbortSignal): Promise<void> {
  const { kraftfile: path, ...buildOptions } = options;
  const { file, folder, kraftfile } = await loadKraftproject(workspaceRoot, path);
  const { rootfs } = kraftfile;
  if (rootfs === undefined) throw new ProjectFault('KRAFTFILE_NO_ROOTFS', 'it names no rootfs', { at: file });
  const request: RootfsRequest = {
    ...rootfs,
    ...buildOptions,
    baseDirectory: folder,
    time: sourceDateEpoch(),
    images: baseImages(await readWorkspaceLock(workspaceRoot)),
    signal,
  };
  let made: string | undefined;
  for (const architecture of new Set(plannedTargets(kraftfile).map((target) => target.architecture))) {
    const output = join(folder, rootfsName(kraftfile, architecture, rootfs.format));
    if (made !== undefined) {
      const source = made;
      await replaceAtomically(output, (temporary) => copyFile(source, temporary));
      await writeRunDefaults(folder, kraftfile, architecture);
      continue;
    }
    const result = await buildRootfs({ ...request, architecture, onLine: tell }, output);
    await writeRunDefaults(folder, kraftfile, architecture, result.config);
    const unexpected = unexpectedReads(result.reads ?? [], rootfsInputs({ ...request, architecture }));
    for (const read of unexpected) tell(`warning: the builder read ${read}, which is no input of this task`);
    for (const line of describeRootfs({ ...result, path: rootfsName(kraftfile, architecture, rootfs.format) }))
      tell(line);
    // Images and what Dockerfiles build differ between architectures; files do not.
    if (result.kind !== 'dockerfile' && result.kind !== 'image') made = output;
  }
}
