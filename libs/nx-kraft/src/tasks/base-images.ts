import { homedir } from 'node:os';
import { join } from 'node:path';
import { unlessAborted } from '@nx-kraft/base';
import { type Lock, lockedDigest } from '@nx-kraft/components/lock';
import { parseReference, signedDigest } from '@nx-kraft/oci';
import { type ImageSource, type PackedImage, findPackedImage, openPackedImage, registryImages } from '@nx-kraft/rootfs';
import { baseImageName, lockedImageName } from './needs.ts';
import type { NetworkOptions } from './network.ts';
import { openRegistries, userPolicy } from './registry.ts';

/**
 * Base images of Dockerfiles, and root file systems that are images, from the registries that Docker would ask, as the
 * lock has them and signed as the user's policy wants it. Layers are kept in the user's caches. What the workspace packs
 * itself is taken from there.
 *
 * @param layouts  OCI image layouts by the images' names in full; absolute paths
 * @param signal  once it is aborted nobody waits for a registry any more
 */
export async function baseImages(
  lock?: Lock,
  options: NetworkOptions = {},
  layouts: Readonly<Record<string, string>> = {},
  signal?: AbortSignal,
): Promise<ImageSource> {
  const caches = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const client = openRegistries(options);
  const policy = await userPolicy();
  const images = registryImages(client, join(caches, 'nx-kraft', 'layers'), policy, signal);
  const locked = (name: string): string | undefined => {
    const digest = lockedDigest(lock, baseImageName(name));
    return digest === undefined ? undefined : lockedImageName(name, digest);
  };
  const packed = async (name: string, platform: string): Promise<PackedImage | undefined> => {
    const layout = layouts[baseImageName(name)];
    return layout === undefined ? undefined : findPackedImage(layout, platform);
  };
  return {
    open: async (name, platform) => {
      const image = await packed(name, platform);
      return image === undefined ? images.open(locked(name) ?? name, platform) : openPackedImage(image);
    },
    exact: async (name) => {
      const known = locked(name);
      if (policy === undefined || layouts[baseImageName(name)] !== undefined) return known;
      // A builder pulls by itself, so it gets just what was checked.
      const digest = await unlessAborted(
        signal,
        signedDigest(client, parseReference(known ?? name, 'docker.io'), policy),
      );
      return digest === undefined ? known : lockedImageName(name, digest);
    },
    packed,
  };
}
