import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PackedImage } from '../image.ts';
import type { ExternalBuilder } from './builders.ts';
import { serveLayouts } from './layout-server.ts';

/** Images of this disk as a builder can take them. */
export interface Offer {
  /** What to write instead of the image's name. */
  readonly nameOf: (image: PackedImage) => string;
  readonly close: () => void;
}

/**
 * Offers images of this disk to a builder under names that it knows: podman and buildah read archives, and BuildKit, also
 * that of old engines, pulls from a registry on this machine, by digest.
 *
 * @param scratch  a directory for what has to be written
 */
export async function offerImages(
  builder: ExternalBuilder,
  images: readonly PackedImage[],
  scratch: string,
): Promise<Offer> {
  if (images.length === 0) return { nameOf: ({ folder }) => folder, close: () => undefined };
  if (builder === 'buildkit' || builder === 'docker') {
    const { host, close } = await serveLayouts(images.map(({ folder }) => folder));
    return { nameOf: ({ digest }) => `${host}/packed@${digest}`, close };
  }
  const names = new Map<string, string>();
  for (const image of images) names.set(image.digest, `oci-archive:${await archiveOf(image, scratch)}`);
  return { nameOf: ({ digest }) => names.get(digest) ?? '', close: () => undefined };
}

/**
 * An archive with nothing but the one image: these programs would look for their own platform in it. They keep what they
 * read by its digest, where from a layout they would make a name of the layout's path.
 */
async function archiveOf({ folder, digest }: PackedImage, scratch: string): Promise<string> {
  const { archiveLayout, Layout } = await import('@nx-kraft/oci');
  const { size } = statSync((await Layout.open(folder)).blobPath(digest));
  const layout = join(scratch, digest.replace(':', '-'));
  const manifest = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size };
  mkdirSync(layout);
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [manifest] }));
  writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  symlinkSync(join(folder, 'blobs'), join(layout, 'blobs'));
  await archiveLayout(layout, `${layout}.tar`);
  return `${layout}.tar`;
}
