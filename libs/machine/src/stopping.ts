import { constants } from 'node:os';
import type { MachineEnd } from './ending.ts';
import type { Machine } from './machine.ts';

export type CleanUp = () => void;

const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Within this time (milliseconds) a signal is the same one again: a terminal and Nx both give it to a task. */
const sameSignal = 200;

/**
 * Stops the machine in order when `signal` is aborted, and kills it when this process then gets a signal: whoever presses
 * Ctrl-C again does not want to wait.
 */
export function stopOnAbort(machine: Machine, signal: AbortSignal): CleanUp {
  const kill = () => void machine.kill();
  let timer: NodeJS.Timeout | undefined;
  const stop = () => {
    void machine.stop();
    timer = setTimeout(() => {
      for (const name of names) process.on(name, kill);
    }, sameSignal);
  };
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  return () => {
    clearTimeout(timer);
    for (const name of names) process.off(name, kill);
    signal.removeEventListener('abort', stop);
  };
}

/**
 * Takes care of SIGINT, SIGTERM and SIGHUP: the first stops the machine in order, the second kills it.
 *
 * @returns what gives an end its exit code: 128 and the first signal's number, as a shell gives it
 */
export function endOnSignals(machine: Machine): {
  readonly judge: (end: MachineEnd) => MachineEnd;
  readonly release: CleanUp;
} {
  let first: (typeof names)[number] | undefined;
  const take = (name: (typeof names)[number]) => {
    first ??= name;
    // The first call ends the monitor in order, the second one kills it.
    void machine.stop();
  };
  for (const name of names) process.on(name, take);
  return {
    judge: (end) =>
      first === undefined || end.reason !== 'stopped' ? end : { ...end, exitCode: 128 + constants.signals[first] },
    release: () => {
      for (const name of names) process.off(name, take);
    },
  };
}
