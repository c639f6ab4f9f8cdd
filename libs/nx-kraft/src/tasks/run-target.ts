import { Fault } from '@nx-kraft/base';
import { type KernelRun, runKernel } from '@nx-kraft/machine';
import { ConsoleOutput } from './console-output.ts';
import { loadKraftproject } from './kraftproject.ts';
import { type MachineOptions, planMachine } from './machine-plan.ts';

export interface RunOptions extends MachineOptions {
  /** The Kraftfile, relative to the workspace. */
  readonly kraftfile: string;
  /** Seconds. */
  readonly timeout?: number;
}

/** A guest that ran and did not end well. */
export class GuestFault extends Fault<'GUEST_FAILED'> {
  override readonly name = 'GuestFault';
}

/** Boots a target, shows its console until it ends, and fails when the guest failed. */
export async function runTarget(workspaceRoot: string, options: RunOptions, signal: AbortSignal): Promise<void> {
  const project = await loadKraftproject(workspaceRoot, options.kraftfile);
  const plan: KernelRun = await planMachine(project, options);
  const screen = new ConsoleOutput(process.stdout);
  const end = await runKernel(plan, {
    signal,
    ...(options.timeout === undefined ? {} : { timeout: options.timeout * 1000 }),
    onConsole: (chunk) => screen.write(chunk),
    onNote: (note) => process.stderr.write(`${note}\n`),
  }).finally(() => screen.flush());
  if (end.exitCode !== 0) {
    throw new GuestFault('GUEST_FAILED', end.message, { at: options.kraftfile });
  }
}
