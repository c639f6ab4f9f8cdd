import type { Port } from '@nx-kraft/machine/run';
import { tell } from './task.ts';

/**
 * What to call when a guest is ready, where Nx waits for it: Nx then starts the tasks that depend on this one with
 * `waitFor: "ready"`, and tells them the address of the first port in `NX_READY_URL`. Undefined where nobody asks; a
 * guest then sees no connection that is none of its own.
 */
export function tellReady(): ((machine: { readonly ports: readonly Port[] }) => void) | undefined {
  if (process.env.NX_READY_SIGNAL_SOCKET === undefined) return undefined;
  return ({ ports }) => {
    const port = ports.find(({ protocol }) => protocol === 'tcp');
    // Nx is loaded only now, since it takes longer than most guests to boot.
    import('@nx/devkit').then(
      ({ emitReadySignal }) => emitReadySignal(port === undefined ? undefined : urlOf(port)),
      (error: unknown) => tell(`warning: Nx cannot be told that it is ready: ${String(error)}`),
    );
  };
}

function urlOf({ hostAddress, hostPort }: Port): string {
  return `http://${hostAddress === '0.0.0.0' ? '127.0.0.1' : hostAddress}:${hostPort}`;
}
