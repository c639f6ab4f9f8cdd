import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { unlessAborted } from '@nx-kraft/base';
import type {
  Blob,
  ImageLayer,
  ImageSource as OciSource,
  Layout,
  RegistryClient,
  Repository,
  Root,
  SignaturePolicy,
} from '@nx-kraft/oci';
import { RootfsFault } from './fault.ts';
import type { ImageDefaults, ImageSource, PackedImage, SourceImage } from './image.ts';

/** Where names without a registry lead, in Dockerfiles and wherever people mean containers. */
const containerRegistry = 'docker.io';

/**
 * Images from registries. Layers are kept in a layout, so that each is downloaded once; tags are looked up every time,
 * but what is named by a digest and was read before needs no network.
 *
 * @param cacheFolder  of the layout; may be shared by processes
 * @param policy  whose signatures images must have when they are asked for (default: nobody's)
 * @param signal  once it is aborted nobody waits for a registry any more
 */
export function registryImages(
  client: RegistryClient,
  cacheFolder: string,
  policy?: SignaturePolicy,
  signal?: AbortSignal,
): ImageSource {
  const open: ImageSource['open'] = async (reference, platform) => {
    const { Layout, Repository, formatReference, parseReference, requireSignature } = await loadOci();
    const cache = await Layout.create(cacheFolder);
    const name = parseReference(reference, containerRegistry);
    const repository = new Repository(client, name);
    const source = new CachedSource(repository, cache, async (digest) => {
      if (policy !== undefined) await requireSignature(client, name, digest, policy);
    });
    const root = await source.root(name.digest ?? name.tag ?? 'latest');
    return openImage(source, root, platform, formatReference(name), (layer) => source.keep(layer, signal));
  };
  return { open: (reference, platform) => unlessAborted(signal, open(reference, platform)) };
}

/**
 * Images of one layout: by the name that its index gives them, or the only one.
 *
 * @throws OciFault LAYOUT_INVALID when the folder is none
 */
export async function openLayoutImage(folder: string, platform: string, name?: string): Promise<SourceImage> {
  const layout = await (await loadOci()).Layout.open(folder);
  // What is said about images lies beside them, and one image may have many names.
  const roots = (await layout.roots()).filter(({ artifactType }) => artifactType === undefined);
  const found = roots.filter(({ annotations = {} }) => name === undefined || Object.values(annotations).includes(name));
  const named = [...new Map(found.map((root) => [root.digest, root])).values()];
  const [descriptor, second] = named;
  if (descriptor === undefined || second !== undefined) {
    const names = roots.flatMap(({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] ?? []);
    throw new RootfsFault('IMAGE_UNAVAILABLE', `the layout has ${named.length} images of that name, not one`, {
      at: folder,
      hint:
        names.length === 0 ? 'Write only the image that is wanted into the layout.' : `It has: ${names.join(', ')}.`,
    });
  }
  const root = { descriptor, bytes: await layout.readManifest(descriptor.digest) };
  return openImage(layout, root, platform, folder, () => Promise.resolve(layout));
}

/**
 * Finds the image of a unikernel's layout that a Dockerfile means. It asks for `linux/…` unless it says otherwise, which a
 * unikernel's image mostly has not: then it is the one for that architecture on QEMU, or else on the first other platform.
 * Their root file systems are the same.
 *
 * @throws OciFault LAYOUT_INVALID when the folder is none, PLATFORM_MISSING when there is nothing for the architecture
 */
export async function findPackedImage(folder: string, platform: string): Promise<PackedImage> {
  const oci = await loadOci();
  const layout = await oci.Layout.open(folder);
  const [descriptor] = await layout.roots();
  if (descriptor === undefined) throw new RootfsFault('IMAGE_UNAVAILABLE', 'the layout is empty', { at: folder });
  const root = { descriptor, bytes: await layout.readManifest(descriptor.digest) };
  const entries = await oci.listEntries(layout, root);
  const [os = '', architecture = ''] = platform.split('/');
  const fitting = entries.filter((entry) => oci.isWanted(entry.platform, { architecture }));
  const others = fitting.map((entry) => entry.platform.os).toSorted();
  const found = (os === 'linux' ? [os, 'qemu', ...others] : [os]).find((one) =>
    fitting.some((entry) => oci.isWanted(entry.platform, { platform: one })),
  );
  const [entry] = oci.selectEntries(entries, { platform: found ?? os, architecture }, folder);
  if (entry === undefined) throw new RootfsFault('IMAGE_UNAVAILABLE', `${folder} has nothing for ${platform}`);
  return { folder, digest: entry.digest };
}

/** Opens an image that {@link findPackedImage} found. */
export async function openPackedImage({ folder, digest }: PackedImage): Promise<SourceImage> {
  const layout = await (await loadOci()).Layout.open(folder);
  return openManifest(layout, digest, () => Promise.resolve(layout));
}

async function openImage(
  source: OciSource,
  root: Root,
  platform: string,
  name: string,
  sourceOf: (layer: ImageLayer) => Promise<OciSource>,
): Promise<SourceImage> {
  const oci = await loadOci();
  const [os = '', architecture = ''] = platform.split('/');
  const [entry] = oci.selectEntries(await oci.listEntries(source, root), { platform: os, architecture }, name);
  if (entry === undefined) throw new RootfsFault('IMAGE_UNAVAILABLE', `${name} has nothing for ${platform}`);
  return openManifest(source, entry.digest, sourceOf);
}

async function openManifest(
  source: OciSource,
  digest: Digest,
  sourceOf: (layer: ImageLayer) => Promise<OciSource>,
): Promise<SourceImage> {
  const oci = await loadOci();
  const image = await oci.readImage(source, digest);
  const docker = dockerConfigOf(await source.readBlob(image.manifest.config.digest));
  return {
    digest: image.digest,
    config: { ...image.config.config, ...docker },
    layers: image.layers.map((layer) => ({
      digest: layer.digest,
      openTar: async () => oci.openLayer(await sourceOf(layer), layer),
    })),
  };
}

/** Loaded when an image is needed: most root file systems need none, and loading it takes longer than making those. */
function loadOci() {
  return import('@nx-kraft/oci');
}

/** Docker's, and no part of OCI's specification, so it is looked for here. */
function dockerConfigOf(config: Buffer): Pick<ImageDefaults, 'OnBuild' | 'Shell'> {
  const document = JSON.parse(config.toString('utf8')) as {
    config?: { OnBuild?: string[] | null; Shell?: string[] | null };
  };
  return { OnBuild: document.config?.OnBuild ?? [], Shell: document.config?.Shell ?? undefined };
}

type Digest = Blob['digest'];

/** A repository whose documents and layers are kept in a layout once they were read. */
class CachedSource implements OciSource {
  readonly name: string;
  readonly #repository: Repository;
  readonly #cache: Layout;
  readonly #admit: (digest: Digest) => Promise<void>;

  /** @param admit  refuses an image, before anything of it is kept */
  constructor(repository: Repository, cache: Layout, admit: (digest: Digest) => Promise<void>) {
    this.name = repository.name;
    this.#repository = repository;
    this.#cache = cache;
    this.#admit = admit;
  }

  /** The document behind a tag or digest, with its media type, which only the document itself and the registry know. */
  async root(tagOrDigest: string): Promise<Root> {
    if (tagOrDigest.startsWith('sha256:')) {
      const digest = tagOrDigest as Digest;
      if (this.#cache.sizeOf(digest) !== undefined) {
        const bytes = await this.#cache.readBlob(digest);
        const { mediaType = '' } = JSON.parse(bytes.toString('utf8')) as { mediaType?: string };
        return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
      }
    }
    const root = await this.#repository.resolve(tagOrDigest);
    await this.#admit(root.descriptor.digest);
    await this.#cache.writeBlob(root.bytes, root.descriptor.mediaType);
    return root;
  }

  readManifest(digest: Digest): Promise<Buffer> {
    return this.#document(digest, () => this.#repository.readManifest(digest));
  }

  readBlob(digest: Digest): Promise<Buffer> {
    return this.#document(digest, () => this.#repository.readBlob(digest));
  }

  openBlob(digest: Digest, offset: number) {
    return this.#repository.openBlob(digest, offset);
  }

  /** Sees that a layer is in the layout, and gives the layout. */
  async keep(layer: Blob, signal: AbortSignal | undefined): Promise<Layout> {
    if (this.#cache.sizeOf(layer.digest) !== layer.size) {
      await this.#cache.addBlob(async (path) => {
        const { blobStream } = await loadOci();
        await unlessAborted(signal, pipeline(blobStream(this.#repository, layer), createWriteStream(path)));
        return layer;
      });
    }
    return this.#cache;
  }

  async #document(digest: Digest, read: () => Promise<Buffer>): Promise<Buffer> {
    if (this.#cache.sizeOf(digest) !== undefined) return this.#cache.readBlob(digest);
    const bytes = await read();
    await this.#cache.writeBlob(bytes, '');
    return bytes;
  }
}
