import type { Duplex } from 'node:stream';
import * as zlib from 'node:zlib';
import { OciFault } from './fault.ts';
import type { Compression } from './media-types.ts';

type Packed = Exclude<Compression, 'none'>;

/**
 * A stream that compresses a layer. Node.js writes no time and no name into gzip's header, so that the same input gives
 * the same bytes with the same version of Node.js; other versions may compress differently.
 *
 * @throws OciFault COMPRESSION_UNSUPPORTED for zstd before Node.js 22.15
 */
export function compressor(compression: Packed): Duplex {
  return compression === 'gzip' ? zlib.createGzip() : zstd('createZstdCompress');
}

/** A stream that gives a layer's plain bytes. @throws OciFault COMPRESSION_UNSUPPORTED as {@link compressor} */
export function decompressor(compression: Packed): Duplex {
  return compression === 'gzip' ? zlib.createGunzip() : zstd('createZstdDecompress');
}

function zstd(name: 'createZstdCompress' | 'createZstdDecompress'): Duplex {
  // Node.js 22.12 to 22.14 do not have it, whatever the types say.
  const create = (zlib as Partial<typeof zlib>)[name];
  if (create !== undefined) return create();
  throw new OciFault('COMPRESSION_UNSUPPORTED', `Node.js ${process.versions.node} knows no zstd`, {
    hint: 'Use Node.js 22.15 or newer, or compression "gzip" or "none".',
  });
}
