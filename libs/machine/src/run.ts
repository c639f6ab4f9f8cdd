import type { Readable } from 'node:stream';
import type { MachineEnd } from './ending.ts';
import { startKernel, type KernelRun } from './kernel-run.ts';
import type { Machine, MachineOptions } from './machine.ts';
import { endOnSignals, stopOnAbort, type CleanUp } from './stopping.ts';

export interface KernelRunOptions extends MachineOptions {
  /** Stops the machine in order when it is aborted. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Takes care of SIGINT (Ctrl-C), SIGTERM and SIGHUP of this process while the machine runs: the first stops it in
   * order, another one at once, and the exit code is 128 and the first signal's number, as a shell gives it.
   */
  readonly endOnSignals?: boolean;
  /** What is typed to the guest's console, for example `process.stdin`. */
  readonly input?: Readable;
}

/**
 * Runs a kernel until its machine ends, in the foreground: no file, socket, process or other trace is left, however
 * this process ends.
 *
 *     const { exitCode, message } = await runKernel(
 *       { kernel: '/w/hello_qemu-x86_64', architecture: 'x86_64', platform: 'qemu', initrd: '/w/rootfs.cpio',
 *         args: ['two words'], env: { A: '1' }, memory: '64Mi', ports: ['8080:80'] },
 *       { onConsole: (chunk) => process.stdout.write(chunk), onNote: (note) => process.stderr.write(`${note}\n`) },
 *     );
 *
 * @returns how it ended; a guest that crashed, failed or hung (see `timeout`) has an exit code other than 0, and its
 *   last lines are there to show
 * @throws MachineFault when the machine could not be started
 */
export async function runKernel(run: KernelRun, options: KernelRunOptions = {}): Promise<MachineEnd> {
  options.signal?.throwIfAborted();
  const machine = await startKernel(run, options);
  const cleanUps = [
    options.signal === undefined ? undefined : stopOnAbort(machine, options.signal),
    options.input === undefined ? undefined : typeInto(machine, options.input),
  ];
  const signals = options.endOnSignals === true ? endOnSignals(machine) : undefined;
  try {
    const end = await machine.ended;
    return signals?.judge(end) ?? end;
  } finally {
    for (const cleanUp of [...cleanUps, signals?.release]) cleanUp?.();
  }
}

/** Types what comes from `input` to the machine's console. */
export function typeInto(machine: Machine, input: Readable): CleanUp {
  const type = (chunk: Uint8Array | string) => {
    machine.write(chunk);
  };
  input.on('data', type);
  return () => {
    input.off('data', type);
    input.pause();
  };
}
