import { setTimeout as sleep } from 'node:timers/promises';
import type { Cloud } from '../cloud.ts';
import { CloudFault } from '../fault.ts';
import type { CloudInstance } from '../shapes.ts';
import { describeEnding } from './ending.ts';
import { lastLog } from './log.ts';

export interface Patience {
  /** Seconds until an instance must run. */
  readonly timeout: number;
  /** Seconds that it must go on running then. */
  readonly settle: number;
  /** How often instances have been started again in earlier lives. */
  readonly restarts?: ReadonlyMap<string, number>;
  readonly signal?: AbortSignal | undefined;
  readonly onState?: (instance: CloudInstance) => void;
  /** Takes out of a log what must not be shown. */
  readonly censor?: (text: string) => string;
}

/** Milliseconds between two looks at the states: first this, then longer and longer. */
const shortest = 50;
const longest = 1000;
const shownLines = 20;

/**
 * Waits until instances run, and watches that they go on for a while: a crash loop looks well at times.
 *
 * @throws CloudFault CLOUD_UNHEALTHY with the last lines of the log; CLOUD_STOPPED
 */
export async function waitUntilHealthy(cloud: Cloud, ids: readonly string[], patience: Patience): Promise<void> {
  const { timeout, settle, restarts, signal, onState } = patience;
  const states = new Map<string, string>();
  const deadline = Date.now() + timeout * 1000;
  let settled: number | undefined;
  for (let pause = shortest; ; pause = Math.min(pause * 1.5, longest)) {
    checkSignal(signal);
    const instances = await cloud.instances.list(ids);
    for (const instance of instances) {
      if (states.get(instance.uuid) !== instance.state) onState?.(instance);
      states.set(instance.uuid, instance.state);
      if (instance.state === 'stopped')
        throw await unhealthy(cloud, instance, `stopped: ${describeEnding(instance)}`, patience);
      if ((instance.restart_count ?? 0) > (restarts?.get(instance.uuid) ?? 0)) {
        throw await unhealthy(cloud, instance, `crashes again and again: ${describeEnding(instance)}`, patience);
      }
    }
    const late = instances.find(({ state }) => !['running', 'standby'].includes(state));
    if (late === undefined) settled ??= Date.now() + settle * 1000;
    if (settled !== undefined && Date.now() >= settled) return;
    if (late !== undefined && Date.now() > deadline) {
      throw await unhealthy(cloud, late, `is still ${late.state} after ${timeout} seconds`, patience);
    }
    await pauseFor(Math.min(pause, Math.max(20, (settled ?? deadline) - Date.now())), signal);
  }
}

/** @throws CloudFault CLOUD_STOPPED when the user wants an end */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new CloudFault('CLOUD_STOPPED', 'it was stopped');
}

/** Waits, unless the user wants an end. */
export async function pauseFor(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    checkSignal(signal);
    throw error;
  }
}

async function unhealthy(
  cloud: Cloud,
  instance: CloudInstance,
  what: string,
  { censor = (text) => text }: Patience,
): Promise<CloudFault> {
  const log = censor(await lastLog(cloud, instance.uuid, shownLines));
  const lines =
    log === ''
      ? ['  (its log is empty)']
      : log
          .trimEnd()
          .split('\n')
          .map((line) => `  | ${line}`);
  return new CloudFault('CLOUD_UNHEALTHY', `${instance.name} ${what}\n${lines.join('\n')}\n`, {
    hint: 'Nothing else has changed: what served before goes on.',
  });
}
