import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { verifyReproducible } from '@nx-kraft/kernel';
import { outputNames } from '@nx-kraft/kraftfile/outputs';
import { findTarget, loadKraftproject } from './kraftproject.ts';
import type { NetworkOptions } from './network.ts';
import { planKernel } from './plan-kernel.ts';
import { sourceDateEpoch, tell } from './task.ts';

export interface VerifyOptions extends NetworkOptions {
  /** The Kraftfile, relative to the workspace. */
  readonly kraftfile: string;
  /** The target's id; default: all of them. */
  readonly for?: string;
}

/** Builds kernels twice in different surroundings and fails when they are not the same bits. */
export async function verifyTargets(root: string, options: VerifyOptions, signal: AbortSignal): Promise<void> {
  const project = await loadKraftproject(root, options.kraftfile);
  const { targets } = project.kraftfile;
  for (const target of options.for === undefined ? targets : [findTarget(project, options.for)]) {
    const { plan, downloads } = await planKernel(root, project, target, options, signal);
    const folder = join(project.folder, '.unikraft', 'verify', target.id);
    tell(`building ${target.id} twice`);
    const digest = await verifyReproducible(plan, folder, { signal, downloads, sourceDateEpoch: sourceDateEpoch() });
    // When builds differ they stay, to be compared.
    await rm(folder, { recursive: true });
    tell(`${outputNames(project.kraftfile, target).kernel} is reproducible: ${digest}`);
  }
}
