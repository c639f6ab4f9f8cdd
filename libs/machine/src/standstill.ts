import type { Machine } from './machine.ts';

/** How often (milliseconds) the processors are looked at. */
const interval = 250;
/** How long (milliseconds) processors that nothing can wake are let be: a guest that tells of its crash has that time to end. */
const deadLimit = 1500;

export interface StandstillOptions {
  /** How long (milliseconds) a guest may do nothing. */
  readonly idle: number;
  /** When the guest has last written something, by `performance.now()`. */
  readonly lastHeard: () => number;
  /** Called once, with what is wrong as a sentence. */
  readonly onStandstill: (reason: string) => void;
}

/**
 * Looks whether a guest hangs. It does nothing while it writes nothing and at every look its processors are halted, or all their
 * registers are the same as at the look before, as those of one are that goes around in one place; one that computes has
 * others. It cannot go on at all when they are halted with interrupts turned off. Where the monitor does not show registers
 * nothing is ever told.
 *
 * @returns what stops looking
 */
export function watchStandstill(
  machine: Pick<Machine, 'registers'>,
  { idle, lastHeard, onStandstill }: StandstillOptions,
): () => void {
  let last: string | undefined;
  let since = performance.now();
  const timer = setInterval(() => void look(), interval);
  const stop = () => {
    clearInterval(timer);
  };
  const look = async () => {
    // A machine that is gone answers no more, and its end is told elsewhere.
    const registers = await machine.registers().catch(() => undefined);
    if (registers === undefined) {
      stop();
      return;
    }
    const state = stateOf(registers);
    if (registers !== last && state === 'running') since = performance.now();
    last = registers;
    const isLost = state === 'dead';
    const time = performance.now() - Math.max(since, lastHeard());
    if (time < (isLost ? Math.min(deadLimit, idle) : idle)) return;
    stop();
    onStandstill(isLost ? 'it is halted with interrupts turned off, for ever' : `it did nothing for ${idle / 1000} s`);
  };
  return stop;
}

/** Of the flags of an x86 processor, the one that lets interrupts in. */
const interruptFlag = 0x200;

/**
 * What QEMU's `info registers -a` tells of an x86 machine: all of its processors are halted, or even let no interrupt in
 * that could wake them (`dead`). For others, and with some accelerators, it always seems to be running.
 */
export function stateOf(registers: string): 'running' | 'halted' | 'dead' {
  const processors = registers.split(/^CPU#\d+/m).filter((each) => each.trim() !== '');
  if (!processors.every((each) => /\bHLT=1\b/.test(each))) return 'running';
  const flags = processors.map((each) => parseInt(/\b[RE]FL=([\da-f]+)/.exec(each)?.[1] ?? '', 16));
  return flags.every((each) => (each & interruptFlag) === 0) ? 'dead' : 'halted';
}
