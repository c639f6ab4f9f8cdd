import { constants } from 'node:os';

const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Within this time (milliseconds) a signal is the same one again: a terminal and npx both give it to a command. */
const sameSignal = 200;

/**
 * Does what leaves nothing behind once its signal is aborted: that happens at the first SIGINT, SIGTERM or SIGHUP, and when the
 * work has ended, so does this process, with the exit code that a shell gives. The next signal ends it at once.
 */
export async function cleanUpOnSignal<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  let first: (typeof names)[number] | undefined;
  const release = (): void => {
    for (const name of names) process.off(name, take);
  };
  const take = (name: (typeof names)[number]): void => {
    if (first !== undefined) return;
    first = name;
    stop.abort();
    setTimeout(release, sameSignal).unref();
  };
  for (const name of names) process.on(name, take);
  try {
    return await work(stop.signal);
  } finally {
    // At once: what nobody waits for any more, such as a download, would hold the process.
    if (first !== undefined) process.exit(128 + constants.signals[first]);
    release();
  }
}
