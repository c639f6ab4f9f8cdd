import type { Descriptor } from './model.ts';
import { formatReference, type Reference } from './reference.ts';

/** Keys of annotations that `kraft`, containerd and the OCI specification give a meaning to. */
export const annotationKeys = {
  refName: 'org.opencontainers.image.ref.name',
  created: 'org.opencontainers.image.created',
  /** `kraft` sees only descriptors and indexes that carry it, whatever its value. */
  kraftVersion: 'sh.kraftkit.version',
  /** The full reference with its tag; containerd names an imported image by it. */
  containerdName: 'io.containerd.image.name',
  imageName: 'org.unikraft.image.name',
  kernelVersion: 'org.unikraft.kernel.version',
  kernelImage: 'org.unikraft.kernel.image',
  kernelInitrd: 'org.unikraft.kernel.initrd',
} as const;

/** How a layout or archive names its image: the tag for skopeo and umoci, the whole name for containerd. */
export function namedRoot({ mediaType, digest, size }: Descriptor, reference: Reference): Descriptor {
  return {
    mediaType,
    digest,
    size,
    annotations: {
      [annotationKeys.refName]: reference.tag ?? 'latest',
      [annotationKeys.containerdName]: formatReference(reference),
    },
  };
}

/** Whether an entry of a layout's index has a name; others are attached to one that has. */
export function isNamed(root: Descriptor): boolean {
  return root.annotations?.[annotationKeys.refName] !== undefined;
}
