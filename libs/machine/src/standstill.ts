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
 * Looks whether a guest hangs. It does nothing while it writes nothing and all registers of all its processors are the
 * same at every look, as those of one that sleeps or that goes around in one place are; one that computes has others. It
 * cannot go on at all when its processors are halted with interrupts turned off. Where the monitor does not show
 * registers nothing is ever told.
 *
 * @returns what stops looking
 */
export function watchStandstill(
  machine: Pick<Machine, 'registers'>,
  { idle, lastHeard, onStandstill }: StandstillOptions,
): () => void {
  let last: string | undefined;
  let since = 0;
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
    if (registers !== last) since = performance.now();
    last = registers;
    const isLost = isDead(registers);
    const time = performance.now() - Math.max(since, lastHeard());
    if (time < (isLost ? Math.min(deadLimit, idle) : idle)) return;
    stop();
    onStandstill(isLost ? 'it is halted with interrupts turned off, for ever' : `it did nothing for ${idle / 1000} s`);
  };
  return stop;
}

/** Of the flags of an x86 processor, the one that lets interrupts in. */
const interruptFlag = 0x200;

/** Whether QEMU's `info registers -a` shows that every processor is halted and no interrupt can wake it; told for x86 only. */
export function isDead(registers: string): boolean {
  const processors = registers.split(/^CPU#\d+/m).filter((each) => each.trim() !== '');
  return processors.every((each) => {
    const flags = /\b[RE]FL=([\da-f]+)/.exec(each)?.[1];
    return flags !== undefined && (parseInt(flags, 16) & interruptFlag) === 0 && /\bHLT=1\b/.test(each);
  });
}
