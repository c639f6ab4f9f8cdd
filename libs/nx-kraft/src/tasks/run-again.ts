import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeError, Fault, hasErrorCode } from '@nx-kraft/base';
import type { KernelRun, MachineEnd } from '@nx-kraft/machine/run';
import { tell } from './task.ts';

/** How often (milliseconds) files are looked at; a change counts when the next look finds no other. */
const interval = 250;

/**
 * Runs a machine, and again whenever its kernel, its root file system or its Kraftfile changed, until `signal` is aborted.
 * It builds nothing itself: that is what `nx watch` is for. A guest that ends is started again at the next change.
 *
 * @param plan  gives the machine as it is by then
 * @param run  runs one machine until it ends, or is stopped by its signal
 */
export async function runAgainAtChanges(
  kraftfile: string,
  plan: () => Promise<KernelRun>,
  run: (plan: KernelRun, signal: AbortSignal) => Promise<MachineEnd>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    // Before it is read: an edit in the meantime is one, too.
    const before = await signature([kraftfile]);
    let watching: Promise<void> | undefined;
    const changed = new AbortController();
    const over = AbortSignal.any([signal, changed.signal]);
    try {
      const planned = await plan();
      const made = [planned.kernel, ...(planned.initrd === undefined ? [] : [planned.initrd])];
      const first = [before, await signature(made)].join('\n');
      watching = untilChanged([kraftfile, ...made], first, signal).then(() => changed.abort());
      const { message } = await run(planned, over);
      if (!over.aborted) tell(`${message}; it starts again when its build changes`);
    } catch (error) {
      // A Kraftfile that is being edited is broken for a while.
      if (!(error instanceof Fault)) throw error;
      process.stderr.write(`${describeError(error)}\n`);
    }
    await (watching ?? untilChanged([kraftfile], before, signal));
    if (!signal.aborted) tell('its build changed; starting again');
  }
}

/** Resolves when a file is another one than `first` tells, and has stayed so, or when `signal` is aborted. */
async function untilChanged(files: readonly string[], first: string, signal: AbortSignal): Promise<void> {
  for (let last = first; !signal.aborted;) {
    await sleep(interval, undefined, { signal }).catch(() => undefined);
    const now = await signature(files);
    if (now !== first && now === last) return;
    last = now;
  }
}

async function signature(files: readonly string[]): Promise<string> {
  const parts = await Promise.all(
    files.map(async (file) => {
      try {
        const { ino, size, mtimeMs } = await stat(file);
        return `${ino} ${size} ${mtimeMs}`;
      } catch (error) {
        if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return 'none';
        throw error;
      }
    }),
  );
  return parts.join('\n');
}
