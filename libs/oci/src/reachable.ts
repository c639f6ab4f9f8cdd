import { decodeDocument } from './decode.ts';
import type { Digest } from './digest.ts';
import type { Layout } from './layout.ts';
import { isIndexType, isManifestType } from './media-types.ts';
import type { Descriptor } from './model.ts';

/**
 * Adds the digests of all blobs that an index or manifest needs, its own included, so far as they are in the layout: of
 * an image that was pulled for one platform, only that one's.
 *
 * @throws OciFault DIGEST_MISMATCH, DOCUMENT_INVALID when a document there is damaged
 */
export async function addReachable(
  layout: Layout,
  { digest, mediaType }: Descriptor,
  reached: Set<Digest>,
): Promise<void> {
  if (reached.has(digest) || layout.sizeOf(digest) === undefined) return;
  reached.add(digest);
  if (!isIndexType(mediaType) && !isManifestType(mediaType)) return;
  const document = decodeDocument(await layout.readBlob(digest), mediaType, layout.blobPath(digest));
  const children =
    document.kind === 'index' ? document.index.manifests : [document.manifest.config, ...document.manifest.layers];
  for (const child of children) await addReachable(layout, child, reached);
}
