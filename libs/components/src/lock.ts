import type { RemoteResolution } from './resolution.ts';

/** What `kraft.lock` says. */
export interface Lock {
  readonly components: Readonly<Record<string, RemoteResolution>>;
}

/** The exact sources that the lock has for a component, by its key. */
export function lockedResolution(lock: Lock | undefined, key: string): RemoteResolution | undefined {
  return lock !== undefined && Object.hasOwn(lock.components, key) ? lock.components[key] : undefined;
}
