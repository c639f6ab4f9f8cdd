import { createFile, type FileWriter, layerTar } from '@nx-kraft/archive';
import { hasErrorCode } from '@nx-kraft/base';
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, createWriteStream, fstatSync, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { compressor } from './compression.ts';
import type { Digest } from './digest.ts';
import { OciFault } from './fault.ts';
import type { Layout } from './layout.ts';
import { type Compression, mediaTypes } from './media-types.ts';
import type { Descriptor } from './model.ts';
import type { Blob } from './source.ts';

/** A layer: its blob, and the digest of its tar archive, which is the same unless it is compressed. */
export interface Layer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

/** A file that becomes a layer of its own, at a path that readers know (section 1.2 of the reference). */
export interface LayerFile {
  /** Path of the file, or its content. */
  readonly content: string | Buffer;
  /** Path in the image, without a leading `/`. */
  readonly target: string;
  readonly mode: number;
}

/**
 * Writes the layer with this one file into the layout. The same content gives the same blob, whatever the file's own
 * mode, time and owner, so that all images with one kernel share its layer.
 *
 * @throws OciFault INPUT_MISSING; COMPRESSION_UNSUPPORTED
 */
export async function writeLayer(layout: Layout, file: LayerFile, compression: Compression): Promise<Layer> {
  if (compression === 'none') {
    const plain = await layout.addBlob((path) => Promise.resolve(writeTar(file, path)));
    return { descriptor: { mediaType: mediaTypes.layer, ...plain }, diffId: plain.digest };
  }
  const compress = compressor(compression);
  return layout.addBlob(async (path) => {
    const plainPath = `${path}.tar`;
    try {
      const plain = writeTar(file, plainPath);
      const packed = await compressFile(plainPath, path, compress);
      const mediaType = compression === 'gzip' ? mediaTypes.layerGzip : mediaTypes.layerZstd;
      return { digest: packed.digest, descriptor: { mediaType, ...packed }, diffId: plain.digest };
    } finally {
      await rm(plainPath, { force: true });
    }
  });
}

function writeTar({ content, target, mode }: LayerFile, outputPath: string): Blob {
  return typeof content === 'string'
    ? writeTarOfFile(content, target, mode, outputPath)
    : finishTar(target, mode, content.length, outputPath, (output) => output.bytes(content));
}

function writeTarOfFile(path: string, target: string, mode: number, outputPath: string): Blob {
  const input = openInput(path);
  try {
    const size = fstatSync(input).size;
    return finishTar(target, mode, size, outputPath, (output) => output.wholeFile(input, size, path));
  } finally {
    closeSync(input);
  }
}

function finishTar(
  target: string,
  mode: number,
  size: number,
  outputPath: string,
  write: (output: FileWriter) => void,
): Blob {
  const tar = layerTar(target, size, mode);
  return createFile(outputPath, (output) => {
    output.bytes(tar.header);
    write(output);
    output.bytes(tar.trailer);
    const written = output.finish();
    return { digest: written.digest as Digest, size: written.size };
  });
}

function openInput(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
    throw new OciFault('INPUT_MISSING', 'the file that should go into the image is not there', {
      at: path,
      hint: 'Build it first: the package task depends on the build and rootfs tasks.',
      cause: error,
    });
  }
}

async function compressFile(from: string, to: string, compress: ReturnType<typeof compressor>): Promise<Blob> {
  const hash = createHash('sha256');
  let size = 0;
  await pipeline(
    createReadStream(from, { highWaterMark: 256 * 1024 }),
    compress,
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    },
    createWriteStream(to),
  );
  return { digest: `sha256:${hash.digest('hex')}`, size };
}
