import { AsyncLocalStorage } from 'node:async_hooks';
import { describeError } from '@nx-kraft/base';
import { checkTaken, sealMade, type TaskContext } from '../local-cache/taken.ts';
import { checkKraftfile } from './unchanged-kraftfile.ts';

/** How a task ended, as Nx wants to know it. */
export interface TaskResult {
  readonly success: boolean;
}

/**
 * Runs the work of an executor on results of other tasks that are whole, and seals its own. Whatever it throws is told to
 * the user, once and without a stack trace when it is a fault of theirs, and the work's signal is aborted when Nx or the
 * user stops the task, or when Nx itself is gone.
 */
export function runTask(context: TaskContext, work: (signal: AbortSignal) => Promise<void>): Promise<TaskResult> {
  return untilStopped((signal) => tryTask(context, work, signal));
}

/** The same for a task that is stopped by a signal of its caller's. */
export async function tryTask(
  context: TaskContext,
  work: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<TaskResult> {
  try {
    await checkTaken(context, tell, signal);
    await work(signal);
    checkKraftfile(context);
    await sealMade(context);
    return { success: true };
  } catch (error) {
    write(process.stderr, describeError(error));
    return { success: false };
  }
}

/** Does some work with a signal that is aborted when this process is told to stop, or its parent is gone. */
export async function untilStopped<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stopped = watchForStop();
  try {
    return await work(stopped.signal);
  } finally {
    stopped.end();
  }
}

/** A signal that is aborted when this process is told to stop, or its parent is gone, until the watch ends. */
export function watchForStop(): { readonly signal: AbortSignal; readonly end: () => void } {
  const stop = new AbortController();
  const onStop = (): void => stop.abort();
  // Nx stops a task by a signal; when Nx is killed the channel to it breaks, and nobody would wait for the result.
  const events = ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect'] as const;
  for (const event of events) process.on(event, onStop);
  return {
    signal: stop.signal,
    end: () => {
      for (const event of events) process.off(event, onStop);
    },
  };
}

/** Where the lines go of a task that shares its process with others. */
const kept = new AsyncLocalStorage<string[]>();

/** Does some work whose lines for people are added to `lines` rather than written. */
export function keepLines<T>(lines: string[], work: () => Promise<T>): Promise<T> {
  return kept.run(lines, work);
}

/** Writes a line for people to the task's output. */
export function tell(line: string): void {
  write(process.stdout, line);
}

function write(output: NodeJS.WriteStream, line: string): void {
  const lines = kept.getStore();
  if (lines === undefined) output.write(`${line}\n`);
  else lines.push(line);
}

/** Seconds since 1970 for whatever embeds a date: from SOURCE_DATE_EPOCH as other tools take it, else 0. */
export function sourceDateEpoch(): number {
  const text = process.env.SOURCE_DATE_EPOCH;
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : 0;
}
