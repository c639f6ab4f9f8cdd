import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { outputNames } from '@nx-kraft/kraftfile/outputs';
import { type DebugTarget, debugInTerminal, waitForDebugger } from '@nx-kraft/machine';
import { ConsoleOutput } from './console-output.ts';
import { type Kraftproject, ProjectFault, loadKraftproject } from './kraftproject.ts';
import { type ProjectMachineOptions, chooseTarget, planMachine } from './machine-plan.ts';
import { tell } from './task.ts';

export interface DebugOptions extends ProjectMachineOptions {
  /** The Kraftfile, relative to the workspace. */
  readonly kraftfile: string;
  /** Where gdb finds the machine, on this host only. */
  readonly port?: number;
  /** The function to stop at first. */
  readonly breakAt?: string;
  /** Whether gdb is started in this terminal. */
  readonly gdb?: boolean;
}

/** Starts a target that waits for gdb at its first instruction, and prints the line for gdb or runs it. */
export async function debugTarget(workspaceRoot: string, options: DebugOptions, signal: AbortSignal): Promise<void> {
  const project = await loadKraftproject(workspaceRoot, options.kraftfile);
  const plan = await planMachine(project, options);
  const { port = 1234, breakAt = 'main', gdb = false } = options;
  const { kernelDebug } = outputNames(project.kraftfile, chooseTarget(project, options.for));
  const debugKernel = join(project.folder, kernelDebug);
  const target: DebugTarget = { debugKernel, port, breakAt, sources: localSources(project) };
  if (!existsSync(target.debugKernel)) {
    throw new ProjectFault('KRAFTFILE_NOT_BUILT', 'there is no kernel with debug information', {
      at: target.debugKernel,
      hint: 'Kernels that are built from source have one; a runtime has none. Build the target again.',
    });
  }
  if (gdb && !process.stdin.isTTY) {
    throw new ProjectFault('NO_TERMINAL', 'gdb needs a terminal', {
      at: project.file,
      hint: 'Leave --gdb out, and run the line that is shown in a terminal.',
    });
  }
  const screen = new ConsoleOutput(process.stdout);
  const machine = {
    signal,
    onConsole: (chunk: Uint8Array) => screen.write(chunk),
    onNote: (note: string) => process.stderr.write(`${note}\n`),
    onWaiting: (line: string) => tell(`waiting for gdb on port ${port}:\n\n  ${line}\n`),
  };
  // Whatever the guest does under a debugger is no failure of the task.
  const { message } = await (gdb ? debugInTerminal : waitForDebugger)(plan, target, machine).finally(() =>
    screen.flush(),
  );
  tell(message);
}

/** The sources that are in the workspace, by where a build sees them (`libs/kernel/src/workshop.ts`). */
function localSources({ folder, kraftfile: { unikraft, libraries } }: Kraftproject): Readonly<Record<string, string>> {
  const places: readonly (readonly [string, string | undefined])[] = [
    ['/mnt/app', '.'],
    ['/mnt/core', unikraft?.source],
    ...libraries.map(({ name, source }) => [`/mnt/lib/${name}`, source] as const),
  ];
  return Object.fromEntries(
    places.flatMap(([place, source]) => {
      const path = source === undefined ? '' : resolve(folder, source);
      return existsSync(path) ? [[place, path]] : [];
    }),
  );
}
