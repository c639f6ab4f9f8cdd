import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { hasErrorCode } from '@nx-kraft/base';
import { Console } from './console.ts';
import { judgeEnd, type MachineEnd, type Signs } from './ending.ts';
import type { Architecture } from './kernel-file.ts';
import type { MachineOptions } from './machine.ts';

/** How long (milliseconds) a monitor may take to end in order, and a guest that has told of its crash to end by itself. */
const stopGrace = 5000;
const crashGrace = 1000;

/** A process of a machine monitor whose standard input and output are the guest's console. */
export abstract class GuestProcess {
  readonly ended: Promise<MachineEnd>;
  protected readonly child: ChildProcess;
  readonly #architecture: Architecture;
  readonly #console: Console;
  readonly #options: MachineOptions;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #spawned = performance.now();
  #began: number | undefined;
  #errors = '';
  #endedBy: Signs['endedBy'];

  constructor(child: ChildProcess, architecture: Architecture, options: MachineOptions) {
    this.child = child;
    this.#architecture = architecture;
    this.#options = options;
    this.#console = new Console(options.onLine);
    child.stdout?.on('data', (chunk: Uint8Array) => {
      this.#takeOutput(chunk);
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-16_384);
    });
    // A guest that has ended does not read any more; its end is told otherwise.
    child.stdin?.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      child.once('close', (status) => {
        resolve(this.#end(status));
      });
      child.once('error', (error) => {
        this.#errors += `${error.message}\n`;
        resolve(this.#end(null));
      });
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  write(text: Uint8Array | string): void {
    this.child.stdin?.write(text);
  }

  stop(): Promise<MachineEnd> {
    if (this.#endedBy !== undefined) return this.kill();
    this.#endBecause('stop');
    return this.ended;
  }

  kill(): Promise<MachineEnd> {
    this.#endedBy ??= 'stop';
    this.child.kill('SIGKILL');
    return this.ended;
  }

  async peakMemory(): Promise<number> {
    try {
      const status = await readFile(`/proc/${this.pid}/status`, 'utf8');
      return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT', 'ESRCH')) return 0;
      throw error;
    }
  }

  /** Asks the monitor to end in order; when it has not, it is killed. */
  protected abstract quit(): void;

  /** What the monitor told of the end besides its status. */
  protected signs(): Pick<Signs, 'shutdownReason' | 'panicked'> {
    return { shutdownReason: undefined, panicked: false };
  }

  /** What the monitor itself has to say. */
  protected get errors(): string {
    return this.#errors;
  }

  protected get hasBegun(): boolean {
    return this.#began !== undefined;
  }

  /** To be called when the guest's first instruction runs: times count from there. */
  protected begin(): void {
    if (this.#began !== undefined) return;
    this.#began = performance.now();
    const { timeout } = this.#options;
    if (timeout === undefined) return;
    this.#after(timeout, () => {
      this.#endBecause('timeout');
    });
  }

  #endBecause(cause: NonNullable<Signs['endedBy']>): void {
    if (this.#endedBy !== undefined) return;
    this.#endedBy = cause;
    this.quit();
    this.#after(stopGrace, () => this.child.kill('SIGKILL'));
  }

  #takeOutput(chunk: Uint8Array): void {
    const hadCrashed = this.#console.crash !== undefined;
    this.#options.onConsole?.(chunk);
    this.#console.write(chunk);
    if (hadCrashed || this.#console.crash === undefined) return;
    this.#after(crashGrace, () => {
      this.#endBecause('crash');
    });
  }

  #after(milliseconds: number, work: () => void): void {
    this.#timers.add(setTimeout(work, milliseconds));
  }

  #end(status: number | null): MachineEnd {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#console.end();
    const judgement = judgeEnd({
      architecture: this.#architecture,
      console: this.#console,
      status,
      endedBy: this.#endedBy,
      ...this.signs(),
    });
    const duration = performance.now() - (this.#began ?? this.#spawned);
    return { ...judgement, lastLines: this.#console.lastLines, duration };
  }
}
