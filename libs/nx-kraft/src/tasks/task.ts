import { describeError } from '@nx-kraft/base';
import { checkTaken, sealMade, type TaskContext } from '../local-cache/taken.ts';

/** How a task ended, as Nx wants to know it. */
export interface TaskResult {
  readonly success: boolean;
}

/**
 * Runs the work of an executor on results of other tasks that are whole, and seals its own. Whatever it throws is told to
 * the user, once and without a stack trace when it is a fault of theirs, and the work's signal is aborted when Nx or the
 * user stops the task, or when Nx itself is gone.
 */
export async function runTask(context: TaskContext, work: (signal: AbortSignal) => Promise<void>): Promise<TaskResult> {
  try {
    await untilStopped(async (signal) => {
      await checkTaken(context, tell, signal);
      await work(signal);
      await sealMade(context);
    });
    return { success: true };
  } catch (error) {
    process.stderr.write(`${describeError(error)}\n`);
    return { success: false };
  }
}

/** Does some work with a signal that is aborted when this process is told to stop, or its parent is gone. */
export async function untilStopped<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const onStop = (): void => stop.abort();
  // Nx stops a task by a signal; when Nx is killed the channel to it breaks, and nobody would wait for the result.
  const events = ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect'] as const;
  for (const event of events) process.on(event, onStop);
  try {
    return await work(stop.signal);
  } finally {
    for (const event of events) process.off(event, onStop);
  }
}

/** Writes a line for people to the task's output. */
export function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Seconds since 1970 for whatever embeds a date: from SOURCE_DATE_EPOCH as other tools take it, else 0. */
export function sourceDateEpoch(): number {
  const text = process.env.SOURCE_DATE_EPOCH;
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : 0;
}
