import { ComponentFault } from '@nx-kraft/components/fault';
import { pinImage } from '@nx-kraft/components/image';
import type { Lock } from '@nx-kraft/components/lock';
import { hideCredentials } from '@nx-kraft/components/url';
import type { RootfsInputs } from '@nx-kraft/rootfs';
import { tellProgress } from './lock.ts';
import { baseImageName } from './needs.ts';
import type { NetworkRules } from './network.ts';
import { tell } from './task.ts';

/**
 * Looks, before a root file system is made, at what it is made from beside files: tells once of each image that the lock
 * does not have, and of whatever else is not cached, and refuses what the rules forbid. A builder is a program of its own, which nobody keeps from the network.
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
  const moving = new Map(inputs.flatMap((one) => one.moving).map(({ name, remedy }) => [name, remedy]));
  for (const [name, remedy] of moving) {
    tell(`warning: ${hideCredentials(name)} may be something else tomorrow, so this task is never cached; ${remedy}`);
  }
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
