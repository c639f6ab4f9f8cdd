import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import {
  type BuilderOptions,
  type DirectoryNode,
  emptyDirectory,
  FileWriter,
  type LeftOut,
  TarParser,
  TreeBuilder,
} from '@nx-kraft/archive';
import type { Digest } from '@nx-kraft/oci';

/** Gives images by reference: from a registry, a local store or a layout. Who asks for a root file system brings it. */
export interface ImageSource {
  /**
   * @param reference  as people write it, such as `alpine:3.20` or `registry.example/app@sha256:…`
   * @param platform  such as `linux/amd64`
   */
  open(reference: string, platform: string): Promise<SourceImage>;
  /**
   * The image that a builder must take: by its digest, without a tag, which not all builders take beside one. Undefined
   * where any will do. Fails where none is allowed, as {@link open} does.
   */
  exact?(reference: string): Promise<string | undefined>;
  /**
   * Where the image lies on this disk and builders would not look for it; undefined for all that registries have.
   *
   * @param platform  as for {@link open}
   */
  packed?(reference: string, platform: string): Promise<PackedImage | undefined>;
}

/** One image of an OCI image layout. */
export interface PackedImage {
  /** Absolute. */
  readonly folder: string;
  /** Of its manifest. */
  readonly digest: Digest;
}

export interface SourceImage {
  /** Digest of the manifest, for the record of what was used. */
  readonly digest: string;
  readonly config: ImageDefaults;
  /** Lowest first. */
  readonly layers: readonly SourceLayer[];
}

export interface SourceLayer {
  readonly digest: string;
  /** The plain tar archive; reading it fails at the end unless the layer has this digest. */
  openTar(): Promise<AsyncIterable<Uint8Array>>;
}

/** What an image's config says of running it; the names are those of the OCI image specification. */
export interface ImageDefaults {
  readonly Env?: readonly string[] | undefined;
  readonly Entrypoint?: readonly string[] | undefined;
  readonly Cmd?: readonly string[] | undefined;
  /** Docker's, and no part of OCI's specification: what runs the commands that are no list. */
  readonly Shell?: readonly string[] | undefined;
  readonly WorkingDir?: string | undefined;
  readonly User?: string | undefined;
  readonly OnBuild?: readonly string[] | undefined;
}

export interface UnpackedImage {
  readonly root: DirectoryNode;
  readonly leftOut: readonly LeftOut[];
}

/**
 * The tree of an image, its layers laid over each other. Contents go to files below `scratch`, which must stay until
 * the tree is written.
 */
export async function unpackImage(
  image: SourceImage,
  reference: string,
  scratch: string,
  owners: 'root' | 'keep',
): Promise<UnpackedImage> {
  const root = emptyDirectory();
  const leftOut: LeftOut[] = [];
  for (const [index, layer] of image.layers.entries()) {
    const path = join(scratch, `${image.digest.replace(':', '-')}-${index}`);
    leftOut.push(...(await unpackLayer(layer, root, path, `${reference} (layer ${layer.digest})`, owners)));
  }
  return { root, leftOut };
}

async function unpackLayer(
  layer: SourceLayer,
  root: DirectoryNode,
  path: string,
  at: string,
  owners: 'root' | 'keep',
): Promise<readonly LeftOut[]> {
  return unpackTar(root, path, at, { owners, whiteouts: true }, async (take) => {
    for await (const chunk of await layer.openTar()) take(chunk);
  });
}

/**
 * Puts the entries of a tar archive into a tree, as unpacking it there would.
 *
 * @param path  a new file for the contents; it must stay until the tree is written
 * @param at  the archive's name, for faults
 * @param read  gives the archive to `take` in chunks
 * @throws ArchiveFault
 */
export async function unpackTar(
  root: DirectoryNode,
  path: string,
  at: string,
  options: BuilderOptions,
  read: (take: (chunk: Uint8Array) => void) => Promise<void>,
): Promise<readonly LeftOut[]> {
  const fd = openSync(path, 'w');
  try {
    const contents = new FileWriter(fd, { digest: false });
    const builder = new TreeBuilder(root, at, options);
    const parser = new TarParser(
      {
        entry: (entry) => builder.place(entry, { archive: path, offset: contents.position }),
        data: (chunk, start, end) => contents.bytes(chunk, start, end),
      },
      at,
    );
    await read((chunk) => parser.push(chunk));
    parser.end();
    contents.finish();
    return builder.leftOut;
  } finally {
    closeSync(fd);
  }
}
