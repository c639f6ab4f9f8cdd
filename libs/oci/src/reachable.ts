import { decodeDocument } from './decode.ts';
import { type Digest, isDigest } from './digest.ts';
import type { Layout } from './layout.ts';
import { isIndexType, isManifestType } from './media-types.ts';
import type { Descriptor } from './model.ts';

/**
 * Digests of all blobs that an index or manifest needs, itself first, so far as they are in the layout: of an image
 * that was pulled for one platform, only that one's.
 *
 * @throws OciFault DIGEST_MISMATCH, DOCUMENT_INVALID when a document there is damaged
 */
export async function reachableBlobs(layout: Layout, root: Descriptor): Promise<ReadonlySet<Digest>> {
  const reached = new Set<Digest>();
  await visit(layout, root, reached);
  return reached;
}

async function visit(layout: Layout, { digest, mediaType }: Descriptor, reached: Set<Digest>): Promise<void> {
  if (reached.has(digest) || (await layout.sizeOf(digest)) === undefined) return;
  reached.add(digest);
  if (!isIndexType(mediaType) && !isManifestType(mediaType)) return;
  const document = decodeDocument(await layout.readBlob(digest), mediaType, layout.blobPath(digest));
  const children =
    document.kind === 'index' ? document.index.manifests : [document.manifest.config, ...document.manifest.layers];
  for (const child of children) await visit(layout, child, reached);
}

/** The digest that a blob's file is named by; undefined for a temporary file. */
export function digestOfName(name: string): Digest | undefined {
  const digest = `sha256:${name}`;
  return isDigest(digest) ? digest : undefined;
}
