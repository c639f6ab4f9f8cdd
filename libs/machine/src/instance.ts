import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrorCode, replaceAtomically } from '@nx-kraft/base';
import type { Accelerator } from './accelerator.ts';
import type { MachineEnd } from './ending.ts';
import type { KernelRun } from './kernel-run.ts';
import type { Port } from './ports.ts';

/**
 * `created`: not started yet; `running`, `paused`; `exited`: it ended and is known how; `died`: what ran it was killed,
 * and it with that.
 */
export type InstanceState = 'created' | 'running' | 'paused' | 'exited' | 'died';

/** A machine that has a name and can be reached from other processes. */
export interface Instance {
  /** Twelve hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  readonly plan: KernelRun;
  /** Whether it is removed when it ends. */
  readonly removeAtEnd: boolean;
  /** Times are ISO 8601 in UTC. */
  readonly createdAt: string;
  readonly state: InstanceState;
  /** Of one that runs in the foreground: the process that it belongs to. */
  readonly owner?: number;
  readonly startedAt?: string;
  /** The monitor's process. */
  readonly pid?: number;
  readonly accelerator?: Accelerator;
  /** As they are, also where any free port was asked for. */
  readonly ports?: readonly Port[];
  /** In networks of this host, with their prefixes. */
  readonly addresses?: readonly string[];
  readonly endedAt?: string;
  readonly end?: Pick<MachineEnd, 'exitCode' | 'reason' | 'message' | 'duration'>;
}

/** Where an instance keeps what: all of it lies in its folder, which is named after its id. */
export function instancePaths(folder: string): {
  readonly record: string;
  readonly log: string;
  readonly socket: string;
} {
  return { record: join(folder, 'instance.json'), log: join(folder, 'console.log'), socket: join(folder, 'socket') };
}

/** Reads what is recorded; undefined when the folder is gone or not yet whole. */
export async function readRecord(folder: string): Promise<Instance | undefined> {
  try {
    return JSON.parse(await readFile(instancePaths(folder).record, 'utf8')) as Instance;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

export async function writeRecord(folder: string, instance: Instance): Promise<void> {
  const text = `${JSON.stringify(instance, undefined, 2)}\n`;
  await replaceAtomically(instancePaths(folder).record, (path) => writeFile(path, text));
}
