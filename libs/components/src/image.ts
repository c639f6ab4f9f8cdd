import { ComponentFault } from './fault.ts';
import { type Lock, lockedDigest } from './lock.ts';
import type { FetchOptions } from './resolution.ts';

/** Asks a registry what an image's reference means now; gives a digest such as `sha256:…`. */
export type ResolveDigest = (reference: string, signal: AbortSignal | undefined) => Promise<string>;

export interface ImageOptions extends Pick<FetchOptions, 'onProgress'> {
  readonly lock: Lock | undefined;
  readonly frozen?: boolean | undefined;
}

/**
 * Pins an image of a Kraftfile or Dockerfile, as components are pinned: by its own digest or by the lock. One that
 * neither pins is told as progress `unlocked`.
 *
 * @param reference  in full, as the lock has it
 * @returns `name:tag@sha256:…`, or the reference as it is
 * @throws ComponentFault COMPONENT_NOT_LOCKED
 */
export function pinImage(reference: string, { lock, frozen, onProgress }: ImageOptions): string {
  if (reference.includes('@')) return reference;
  const locked = lockedDigest(lock, reference);
  if (locked !== undefined) return `${reference}@${locked}`;
  if (frozen === true) {
    throw new ComponentFault(
      'COMPONENT_NOT_LOCKED',
      `image ${reference} has no entry in kraft.lock, which must not change`,
      {
        hint: 'Run nx sync and commit kraft.lock.',
      },
    );
  }
  onProgress?.({ kind: 'unlocked', component: reference, message: `image ${reference} is not in kraft.lock` });
  return reference;
}
