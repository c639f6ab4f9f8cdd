import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import type { MachineEnd } from './ending.ts';
import { MachineFault } from './fault.ts';
import { startKernel, type KernelRun } from './kernel-run.ts';
import type { Machine, MachineOptions } from './machine.ts';
import { findProgram } from './programs.ts';
import { stopOnAbort } from './stopping.ts';

/** What gdb needs to know of a machine that waits for it. */
export interface DebugTarget {
  /** The kernel with debug information, `.dbg`. */
  readonly debugKernel: string;
  /** A port of this host's 127.0.0.1. */
  readonly port: number;
  /** A function to stop at first (default `main`). */
  readonly breakAt?: string;
  /** Where sources are, by the folders that the debug information has for them. */
  readonly sources?: Readonly<Record<string, string>>;
}

/**
 * gdb's arguments for a machine that waits at its first instruction: it stops at a function next. The breakpoint is
 * one of the processor's, since the kernel is not yet in memory when it is set.
 */
export function gdbArguments({ debugKernel, port, breakAt = 'main', sources = {} }: DebugTarget): readonly string[] {
  const places = Object.entries(sources).map(([from, to]) => `set substitute-path ${from} ${gdbQuote(to)}`);
  const commands = [...places, `target remote 127.0.0.1:${port}`, `hbreak ${breakAt}`, 'continue'];
  return ['-q', ...commands.flatMap((command) => ['-ex', command]), debugKernel];
}

/** As gdb takes the words of its commands apart. */
function gdbQuote(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : `"${word.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

/** The line to type into a shell. */
export function formatGdbLine(target: DebugTarget): string {
  return ['gdb', ...gdbArguments(target)].map((word) => (/^[\w./:-]+$/.test(word) ? word : shellQuote(word))).join(' ');
}

function shellQuote(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** An entry for `configurations` in VS Code's `launch.json` (its C/C++ extension, type `cppdbg`). */
export function makeVscodeConfiguration(name: string, target: DebugTarget): Readonly<Record<string, unknown>> {
  const { debugKernel, port, breakAt = 'main', sources } = target;
  return {
    name,
    type: 'cppdbg',
    request: 'launch',
    program: debugKernel,
    cwd: dirname(debugKernel),
    MIMode: 'gdb',
    miDebuggerServerAddress: `127.0.0.1:${port}`,
    ...(sources === undefined ? {} : { sourceFileMap: sources }),
    // The extension's own way to stop at the entry sets a breakpoint in memory, which is too early for a kernel.
    stopAtEntry: false,
    setupCommands: [{ text: `hbreak ${breakAt}`, description: `stop at ${breakAt}` }],
    launchCompleteCommand: 'exec-continue',
  };
}

export interface DebugOptions extends MachineOptions {
  /** Stops the machine in order when it is aborted. */
  readonly signal?: AbortSignal;
  /** Called when the machine waits, with the line to type into a shell. */
  readonly onWaiting?: (gdbLine: string) => void;
}

/**
 * Starts a machine that waits for gdb before its first instruction. Nobody but this host can reach it.
 *
 * @throws MachineFault as `runKernel`; MACHINE_PORT_TAKEN for gdb's port too, MACHINE_BAD_TARGET for another platform
 *   than QEMU
 */
export function startForDebugger(run: KernelRun, port: number, options: MachineOptions = {}): Promise<Machine> {
  if (run.platform !== 'qemu') {
    throw new MachineFault('MACHINE_BAD_TARGET', `kernels for ${run.platform} cannot be debugged here`, {
      hint: 'Debug the target for qemu, which has the same program.',
    });
  }
  return startKernel({ ...run, gdb: `tcp:127.0.0.1:${port}` }, options);
}

/** Starts a machine that waits for a gdb that somebody else starts, and gives how it ended. */
export async function waitForDebugger(
  run: KernelRun,
  target: DebugTarget,
  options: DebugOptions = {},
): Promise<MachineEnd> {
  const machine = await startForDebugger(run, target.port, options);
  const release = options.signal === undefined ? undefined : stopOnAbort(machine, options.signal);
  options.onWaiting?.(formatGdbLine(target));
  return machine.ended.finally(release);
}

/**
 * Starts a machine and gdb for it in this terminal, and ends the machine when gdb ends.
 *
 * @throws MachineFault, also MACHINE_NO_PROGRAM without gdb
 */
export async function debugInTerminal(
  run: KernelRun,
  target: DebugTarget,
  options: DebugOptions = {},
): Promise<MachineEnd> {
  const gdb = await findProgram('gdb');
  const machine = await startForDebugger(run, target.port, options);
  const release = options.signal === undefined ? undefined : stopOnAbort(machine, options.signal);
  // Ctrl-C belongs to gdb, which stops the guest at it.
  const ignore = () => undefined;
  process.on('SIGINT', ignore);
  try {
    const child = spawn(gdb, gdbArguments(target), { stdio: 'inherit' });
    const gone = machine.ended.then(() => child.kill());
    await once(child, 'exit');
    await machine.kill();
    await gone;
    return await machine.ended;
  } finally {
    release?.();
    process.off('SIGINT', ignore);
  }
}
