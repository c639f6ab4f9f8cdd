import {
  type ImageLayer,
  type Reference,
  RegistryClient,
  Repository,
  openLayer,
  formatReference,
  listEntries,
  parseReference,
  readImage,
  selectEntries,
} from '@nx-kraft/oci';
import { type Lock, lockedDigest } from '@nx-kraft/components';
import type { ImageSource, SourceImage } from '@nx-kraft/rootfs';
import { baseImageName } from './needs.ts';

/**
 * Base images of Dockerfiles and root file systems that are images, from the registries that Docker would ask, as the
 * lock has them.
 */
export function baseImages(lock?: Lock): ImageSource {
  const client = new RegistryClient();
  return {
    open: (name, platform) => {
      const digest = lockedDigest(lock, baseImageName(name));
      const reference = parseReference(digest === undefined ? name : `${baseImageName(name)}@${digest}`, 'docker.io');
      return openImage(client, reference, platform);
    },
  };
}

async function openImage(client: RegistryClient, reference: Reference, platform: string): Promise<SourceImage> {
  const repository = new Repository(client, reference);
  const root = await repository.resolve(reference.digest ?? reference.tag ?? 'latest');
  const [os, architecture] = platform.split('/');
  const wanted = {
    ...(os === undefined ? {} : { platform: os }),
    ...(architecture === undefined ? {} : { architecture }),
  };
  const [entry] = selectEntries(await listEntries(repository, root), wanted, formatReference(reference));
  const { digest, config, layers } = await readImage(repository, entry?.digest ?? root.descriptor.digest);
  const openTar = (layer: ImageLayer) => () => Promise.resolve(openLayer(repository, layer));
  return {
    digest,
    config: config.config,
    layers: layers.map((layer) => ({ digest: layer.digest, openTar: openTar(layer) })),
  };
}
