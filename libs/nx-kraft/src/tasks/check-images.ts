import { ComponentFault, type Lock, pinImage } from '@nx-kraft/components';
import type { RootfsInputs } from '@nx-kraft/rootfs';
import { tellProgress } from './lock.ts';
import { baseImageName } from './needs.ts';
import type { NetworkRules } from './network.ts';

/**
 * Looks, before a root file system is made, at the images that it is made from: tells once of each that the lock does
 * not have, and refuses what the rules forbid. A builder is a program of its own, which nobody keeps from the network.
 *
 * @param packed  names in full of images that the workspace packs itself
 * @throws ComponentFault COMPONENT_NOT_LOCKED, COMPONENT_OFFLINE
 */
export function checkImages(
  inputs: readonly RootfsInputs[],
  lock: Lock | undefined,
  { offline, frozen }: NetworkRules,
  packed: readonly string[] = [],
): void {
  const images = new Set(inputs.flatMap((one) => one.images).map(baseImageName));
  for (const image of packed) images.delete(image);
  for (const image of images) pinImage(image, { lock, frozen, onProgress: tellProgress });
  const reason = inputs.find(({ needsBuilder }) => needsBuilder !== undefined)?.needsBuilder;
  if (!offline || reason === undefined) return;
  throw new ComponentFault(
    'COMPONENT_OFFLINE',
    `the Dockerfile needs a builder, which may use the network: it ${reason}`,
    {
      hint: 'Run this task once with a network; its result is then in the cache.',
    },
  );
}
