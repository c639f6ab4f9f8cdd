import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrorCode } from '@nx-kraft/base';
import { type Kconfig, parseConfig } from '@nx-kraft/kernel/kconfig';
import type { Target } from '@nx-kraft/kraftfile';
import { outputNames } from '@nx-kraft/kraftfile/outputs';
import { type Kraftproject, ProjectFault } from './kraftproject.ts';

/** What is kept beside a runtime's kernel. */
export interface RuntimeRecord {
  /** The image by the digest of its index; undefined for a kernel that was a file. */
  readonly image?: string;
  readonly cmd: readonly string[];
  /**
   * Whether its own initrd lies beside the kernel. One that is there may be another image's: what Nx takes from its cache
   * removes nothing.
   */
  readonly hasInitrd: boolean;
}

/** The configuration that a target's kernel was built with. @throws ProjectFault KRAFTFILE_NOT_BUILT */
export async function readKernelConfig(project: Kraftproject, target: Target): Promise<Kconfig> {
  return parseConfig(await readBuilt(project, target, 'config'));
}

/** The record of a target's runtime. @throws ProjectFault KRAFTFILE_NOT_BUILT */
export async function readRuntime(project: Kraftproject, target: Target): Promise<RuntimeRecord> {
  return JSON.parse(await readBuilt(project, target, 'runtime')) as RuntimeRecord;
}

async function readBuilt(
  { file, folder, kraftfile }: Kraftproject,
  target: Target,
  output: 'config' | 'runtime',
): Promise<string> {
  try {
    return await readFile(join(folder, outputNames(kraftfile, target)[output]), 'utf8');
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
    throw new ProjectFault('KRAFTFILE_NOT_BUILT', `target ${target.id} has not been built`, {
      at: file,
      hint: `Build it first, with the task build:${target.id}.`,
    });
  }
}
