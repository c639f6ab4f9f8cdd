import { decodeDocument } from './decode.ts';
import { type Digest, digestOf } from './digest.ts';
import { encodeIndex } from './encode.ts';
import { mediaTypes } from './media-types.ts';
import type { Annotations, Descriptor } from './model.ts';
import { samePlatform } from './platform.ts';
import { type ImageEntry, listEntries, type Root } from './select.ts';
import type { ImageSource } from './source.ts';

/** An index of these manifests, with their true sizes, whatever another index said. */
export async function composeIndex(
  source: Pick<ImageSource, 'readManifest'>,
  entries: readonly ImageEntry[],
  annotations: Annotations,
): Promise<Root> {
  const manifests: Descriptor[] = [];
  for (const { digest, platform, annotations } of entries) {
    const { length: size } = await source.readManifest(digest);
    manifests.push({ mediaType: mediaTypes.manifest, digest, size, annotations, platform });
  }
  const bytes = encodeIndex({ schemaVersion: 2, mediaType: mediaTypes.index, manifests, annotations });
  return { descriptor: { mediaType: mediaTypes.index, digest: digestOf(bytes), size: bytes.length }, bytes };
}

/**
 * An image with all manifests of `added`, and those of `existing` that are for other platforms. KConfig counts, so that
 * two kernels of one platform and architecture can live side by side.
 */
export async function mergeImages(
  added: { readonly source: ImageSource; readonly root: Root },
  existing: { readonly source: ImageSource; readonly root: Root },
): Promise<Root> {
  const newer = await listEntries(added.source, added.root);
  const all = await listEntries(existing.source, existing.root);
  // The same part once more must not turn the order around.
  if (newer.every(({ digest }) => all.some((entry) => entry.digest === digest))) return existing.root;
  const older = all.filter((entry) => !newer.some(({ platform }) => samePlatform(platform, entry.platform)));
  const isNewer = new Set(newer.map((entry) => entry.digest));
  const readManifest = (digest: Digest) => (isNewer.has(digest) ? added : existing).source.readManifest(digest);
  return composeIndex({ readManifest }, [...newer, ...older], annotationsOf(added.root, added.source.name));
}

/** Annotations of an index or manifest. */
export function annotationsOf({ bytes, descriptor }: Root, at: string): Annotations {
  const document = decodeDocument(bytes, descriptor.mediaType, at);
  return (document.kind === 'index' ? document.index.annotations : document.manifest.annotations) ?? {};
}
