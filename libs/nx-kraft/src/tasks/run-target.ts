import { Fault } from '@nx-kraft/base';
import { Instances } from '@nx-kraft/machine';
import { ConsoleOutput } from './console-output.ts';
import { loadKraftproject } from './kraftproject.ts';
import { type MachineOptions, planMachine } from './machine-plan.ts';
import { tell } from './task.ts';

export interface RunOptions extends MachineOptions {
  /** The Kraftfile, relative to the workspace. */
  readonly kraftfile: string;
  /** Seconds. */
  readonly timeout?: number;
  /** The machine's name for `nx-kraft ps` and its like; default: an invented one. */
  readonly name?: string;
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
  const project = await loadKraftproject(workspaceRoot, options.kraftfile);
  const plan = await planMachine(project, options);
  const instances = new Instances();
  if (options.detach === true) {
    const { id } = await instances.create(plan, { name: options.name, removeAtEnd: options.rm === true });
    const { name } = await instances.start(id);
    tell(`${name} runs; nx-kraft logs ${name} shows its console, nx-kraft stop ${name} ends it`);
    return;
  }
  const screen = new ConsoleOutput(process.stdout);
  const end = await instances
    .run(
      plan,
      { name: options.name },
      {
        signal,
        ...(options.timeout === undefined ? {} : { timeout: options.timeout * 1000 }),
        onConsole: (chunk) => screen.write(chunk),
        onNote: (note) => process.stderr.write(`${note}\n`),
      },
    )
    .finally(() => screen.flush());
  if (end.exitCode !== 0) throw new GuestFault('GUEST_FAILED', end.message, { at: options.kraftfile, hint: end.hint });
}
