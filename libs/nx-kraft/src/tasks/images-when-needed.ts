import type { ImageSource } from '@nx-kraft/rootfs';
import type { baseImages } from './base-images.ts';

/**
 * The same as `baseImages`, loaded for the first image: most root file systems need none, and loading what reads them
 * takes longer than making those.
 */
export function imagesWhenNeeded(...given: Parameters<typeof baseImages>): ImageSource {
  let loaded: Promise<ImageSource> | undefined;
  const load = (): Promise<ImageSource> =>
    (loaded ??= import('./base-images.ts').then(({ baseImages }) => baseImages(...given)));
  return {
    open: async (name, platform) => (await load()).open(name, platform),
    exact: async (name) => (await load()).exact?.(name),
    packed: async (name, platform) => (await load()).packed?.(name, platform),
  };
}
