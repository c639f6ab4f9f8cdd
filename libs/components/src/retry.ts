import { setTimeout as sleep } from 'node:timers/promises';

/** How long to wait before the second and the third attempt, in milliseconds. */
const pauses = [500, 2000];

/** Does something up to three times, as long as it fails for reasons that may pass by themselves. */
export async function retrying<T>(
  work: () => Promise<T>,
  mayPass: (error: unknown) => boolean,
  signal: AbortSignal | undefined,
): Promise<T> {
  for (const pause of pauses) {
    try {
      return await work();
    } catch (error) {
      if (signal?.aborted === true || !mayPass(error)) throw error;
      await sleep(pause, undefined, { signal });
    }
  }
  return work();
}
