import { pipeline, type Readable } from 'node:stream';
import { decompressor } from './compression.ts';
import { decodeConfig, decodeManifest } from './decode.ts';
import type { Digest } from './digest.ts';
import { OciFault } from './fault.ts';
import { type Compression, compressionOf } from './media-types.ts';
import type { ImageConfig, ImageManifest } from './model.ts';
import { type Blob, blobStream, type ImageSource } from './source.ts';

/** A layer of an image: its blob, how it is compressed, and the digest of its tar archive. */
export interface ImageLayer extends Blob {
  readonly mediaType: string;
  readonly compression: Compression;
  readonly diffId: Digest;
}

/** One manifest with its configuration; layers in the order in which they are to be unpacked. */
export interface Image {
  readonly digest: Digest;
  readonly manifest: ImageManifest;
  readonly config: ImageConfig;
  readonly layers: readonly ImageLayer[];
}

/**
 * Reads a manifest and its configuration: of unikernels and of ordinary containers, in OCI's and in Docker's form.
 *
 * @throws OciFault DOCUMENT_INVALID, BLOB_MISSING, DIGEST_MISMATCH, and the faults of the source
 */
export async function readImage(source: ImageSource, digest: Digest): Promise<Image> {
  const manifest = decodeManifest(await source.readManifest(digest), `${source.name}@${digest}`);
  const config = decodeConfig(await source.readBlob(manifest.config.digest), `${source.name}@${digest}`);
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length) {
    throw invalid(source, digest, `it has ${manifest.layers.length} layers, but describes ${diffIds.length}`);
  }
  const layers = manifest.layers.map((layer, position) => {
    const compression = compressionOf(layer.mediaType);
    if (compression === undefined) throw invalid(source, digest, `it has a layer of the type "${layer.mediaType}"`);
    const { mediaType, size } = layer;
    return { mediaType, digest: layer.digest, size, compression, diffId: diffIds[position] as Digest };
  });
  return { digest, manifest, config, layers };
}

/**
 * The plain tar archive of a layer, as a stream that fails at its end unless the layer's size and digest are right.
 *
 * @throws OciFault COMPRESSION_UNSUPPORTED; the stream fails as {@link blobChunks} says
 */
export function openLayer(source: ImageSource, layer: ImageLayer): Readable {
  if (layer.compression === 'none') return blobStream(source, layer);
  const plain = decompressor(layer.compression);
  // Errors of the blob reach the reader through the decompressor.
  pipeline(blobStream(source, layer), plain, () => undefined);
  return plain;
}

function invalid(source: ImageSource, digest: Digest, message: string): OciFault {
  return new OciFault('DOCUMENT_INVALID', `this is no image of files: ${message}`, {
    at: `${source.name}@${digest}`,
    hint: 'Is it the right name? Helm charts, signatures and other artifacts look like images, too.',
  });
}
