import {
  type ImageLayer,
  type Reference,
  RegistryClient,
  Repository,
  blobStream,
  formatReference,
  listEntries,
  parseReference,
  readImage,
  selectEntries,
} from '@nx-kraft/oci';
import type { ImageSource, SourceImage } from '@nx-kraft/rootfs';

/** Base images of Dockerfiles and root file systems that are images, from the registries that Docker would ask. */
export function baseImages(): ImageSource {
  const client = new RegistryClient();
  return {
    open: (reference, platform) => openImage(client, parseReference(reference, 'docker.io'), platform),
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
  const open = (layer: ImageLayer) => () => Promise.resolve(blobStream(repository, layer));
  return {
    digest,
    config: config.config,
    layers: layers.map((layer) => ({ mediaType: layer.mediaType, digest: layer.digest, open: open(layer) })),
  };
}
