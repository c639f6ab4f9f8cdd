import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceAtomically } from '@nx-kraft/base';
import { rootfsName } from '@nx-kraft/kraftfile';
import { type Rootfs, buildRootfs } from '@nx-kraft/rootfs';
import { KraftfileFault, loadKraftproject, plannedTargets } from './kraftproject.ts';
import { sourceDateEpoch, tell } from './task.ts';

export interface RootfsOptions {
  /** The Kraftfile, relative to the workspace. */
  readonly kraftfile: string;
}

/** Makes a Kraftfile's root file system, once, and puts it where each architecture's is expected. */
export async function makeRootfs(workspaceRoot: string, options: RootfsOptions): Promise<void> {
  const { file, folder, kraftfile } = await loadKraftproject(workspaceRoot, options.kraftfile);
  const { rootfs } = kraftfile;
  if (rootfs === undefined) throw new KraftfileFault('KRAFTFILE_NO_ROOTFS', 'it names no rootfs', { at: file });
  const architectures = [...new Set(plannedTargets(kraftfile).map(({ architecture }) => architecture))];
  const [first = '', ...others] = architectures.map((name) => join(folder, rootfsName(kraftfile, name, rootfs.format)));
  const made = await buildRootfs({ ...rootfs, baseDirectory: folder, time: sourceDateEpoch(), onLine: tell }, first);
  await Promise.all(others.map((path) => replaceAtomically(path, (temporary) => copyFile(first, temporary))));
  summarize(made);
}

function summarize({ entries, size, largest, warnings }: Rootfs): void {
  for (const warning of warnings) tell(`warning: ${warning}`);
  tell(`${entries} entries, ${formatSize(size)}`);
  for (const { name, size: bytes } of largest) tell(`  ${formatSize(bytes).padStart(10)}  ${String(name)}`);
}

/** Bytes in the largest unit that leaves at least one before the point. */
function formatSize(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
