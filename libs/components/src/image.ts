import { ComponentFault } from './fault.ts';
import { type Lock, lockedDigest } from './lock.ts';
import type { FetchOptions } from './resolution.ts';

/** Asks a registry what an image's reference means now; gives a digest such as `sha256:…`. */
export type ResolveDigest = (reference: string, signal: AbortSignal | undefined) => Promise<string>;

export interface ImageOptions extends FetchOptions {
  readonly lock?: Lock | undefined;
  readonly frozen?: boolean | undefined;
  readonly resolveDigest: ResolveDigest;
}

/**
 * Pins an image of a Kraftfile or Dockerfile, as components are pinned: by its own digest, by the lock, else by asking
 * the registry, which is told as progress `unlocked`.
 *
 * @returns the reference with a digest: `name:tag@sha256:…`
 * @throws ComponentFault COMPONENT_NOT_LOCKED, COMPONENT_OFFLINE
 */
export async function pinImage(reference: string, options: ImageOptions): Promise<string> {
  if (reference.includes('@')) return reference;
  const locked = lockedDigest(options.lock, reference);
  if (locked !== undefined) return `${reference}@${locked}`;
  const message = `image ${reference} is not in kraft.lock`;
  if (options.frozen === true) {
    const hint = 'Run nx sync and commit kraft.lock.';
    throw new ComponentFault('COMPONENT_NOT_LOCKED', `${message}, which must not change`, { hint });
  }
  if (options.offline === true) {
    const hint = 'Run nx sync with a network and commit kraft.lock.';
    throw new ComponentFault('COMPONENT_OFFLINE', `${message} and the network must not be used`, { hint });
  }
  options.onProgress?.({ kind: 'unlocked', component: reference, message });
  return `${reference}@${await options.resolveDigest(reference, options.signal)}`;
}
