import { join } from 'node:path';
import { Fault } from '@nx-kraft/base';
import { type KernelRun, Instances, type MachineEnd, formatPort } from '@nx-kraft/machine/run';
import { ConsoleOutput } from './console-output.ts';
import { type ProjectMachineOptions, planMachine } from './machine-plan.ts';
import { tellReady } from './ready-signal.ts';
import { recallKraftproject } from './remembered-kraftproject.ts';
import { tell } from './task.ts';

export interface RunOptions extends ProjectMachineOptions {
  /** The Kraftfile, relative to the workspace. */
  readonly kraftfile: string;
  /** Seconds. */
  readonly timeout?: number;
  /** The machine's name for `nx-kraft ps` and its like; default: an invented one. */
  readonly name?: string;
  /** What each line of the console begins with. */
  readonly prefix?: string;
  /** Whether it starts again when what it was started from changes. */
  readonly watch?: boolean;
  /** Whether the machine goes on when the task has ended. */
  readonly detach?: boolean;
  /** Whether a detached machine is removed at its end. */
  readonly rm?: boolean;
}

/** A guest that ran and did not end well. */
export class GuestFault extends Fault<'GUEST_FAILED'> {
  override readonly name = 'GuestFault';
}

/** Boots a target, shows its console until it ends, and fails when the guest failed. */
export async function runTarget(workspaceRoot: string, options: RunOptions, signal: AbortSignal): Promise<void> {
  const plan = async (): Promise<KernelRun> =>
    planMachine(await recallKraftproject(workspaceRoot, options.kraftfile), options);
  if (options.detach === true) return startDetached(await plan(), options);
  if (options.watch === true) {
    const { runAgainAtChanges } = await import('./run-again.ts');
    return runAgainAtChanges(
      join(workspaceRoot, options.kraftfile),
      plan,
      (run, stop) => runInForeground(run, options, stop),
      signal,
    );
  }
  const end = await runInForeground(await plan(), options, signal);
  if (end.exitCode !== 0) throw new GuestFault('GUEST_FAILED', end.message, { at: options.kraftfile, hint: end.hint });
}

async function startDetached(plan: KernelRun, { name, rm }: RunOptions): Promise<void> {
  const instances = new Instances();
  const { id } = await instances.create(plan, { name, removeAtEnd: rm === true });
  const started = await instances.start(id);
  const ports = (started.ports ?? []).map(formatPort);
  tell(`${started.name} runs${ports.length === 0 ? '' : ` with ${ports.join(', ')}`}`);
  tell(`nx-kraft logs ${started.name} shows its console, nx-kraft stop ${started.name} ends it`);
}

async function runInForeground(plan: KernelRun, options: RunOptions, signal: AbortSignal): Promise<MachineEnd> {
  const screen = new ConsoleOutput(process.stdout, options.prefix);
  return new Instances()
    .run(
      plan,
      { name: options.name },
      {
        signal,
        timeout: options.timeout === undefined ? undefined : options.timeout * 1000,
        onConsole: (chunk) => screen.write(chunk),
        onNote: (note) => process.stderr.write(`${note}\n`),
        onReady: tellReady(),
      },
    )
    .finally(() => screen.flush());
}
