import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Target } from '@nx-kraft/kraftfile';
import { outputNames } from '@nx-kraft/kraftfile/outputs';
import type { Kraftproject } from './kraftproject.ts';

/** What is kept beside a runtime's kernel. */
export interface RuntimeRecord {
  /** The image by the digest of its index; undefined for a kernel that was a file. */
  readonly image?: string;
  readonly cmd: readonly string[];
}

/** The record of a target's runtime. */
export async function readRuntime({ kraftfile, folder }: Kraftproject, target: Target): Promise<RuntimeRecord> {
  return JSON.parse(await readFile(join(folder, outputNames(kraftfile, target).runtime), 'utf8')) as RuntimeRecord;
}
