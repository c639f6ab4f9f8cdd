import { annotationKeys } from './annotations.ts';
import { encodeConfig, encodeManifest } from './encode.ts';
import { readImage } from './image.ts';
import { type Layer, type LayerFile, writeLayer } from './layer.ts';
import type { Layout } from './layout.ts';
import { type Compression, mediaTypes } from './media-types.ts';
import type { Annotations, Descriptor, Platform, RunConfig } from './model.ts';
import type { PackageTarget, RuntimeImage } from './package-plan.ts';
import { canonicalArchitecture, canonicalPlatform, embedsRootfs, kconfigFeatures, platformOf } from './platform.ts';
import { receiveBlob } from './transfer.ts';

/** What one manifest is made of. */
export interface TargetParts {
  readonly platform: Platform;
  readonly layers: readonly Layer[];
  readonly config: RunConfig;
  /** Instead of those that make a unikernel of it. */
  readonly annotations?: Annotations;
}

/** Writes the layers of a target. @throws those of {@link writeLayer} and {@link readImage} */
export async function packageTarget(target: PackageTarget, layers: LayerWriter): Promise<TargetParts> {
  const base = await (typeof target.kernel === 'string'
    ? kernelParts(target, target.kernel, layers)
    : runtimeParts(target.kernel, layers));
  // A runtime's own files may be in its kernel; those of the application are put over them.
  const isEmbedded = typeof target.kernel === 'string' && embedsRootfs(base.platform['os.features'] ?? []);
  const initrd = target.initrd === undefined || isEmbedded ? [] : [await layers.write(initrdFile(target.initrd))];
  return {
    platform: base.platform,
    layers: [...base.layers, ...initrd],
    config: {
      ...base.config,
      Env: Object.entries(target.environment ?? {})
        .map(([name, value]) => `${name}=${value}`)
        .toSorted(),
      Cmd: target.command ?? base.config.Cmd ?? target.rootfsCommand ?? [],
      Labels: target.labels ?? {},
    },
  };
}

/** Writes the configuration and the manifest, whose platforms are the same in every member. */
export async function writeManifest(
  layout: Layout,
  { platform, layers, config }: TargetParts,
  annotations: Annotations,
): Promise<Descriptor> {
  const diffIds = layers.map((layer) => layer.diffId);
  const image = encodeConfig({ ...platform, config, rootfs: { type: 'layers', diff_ids: diffIds } });
  const manifest = encodeManifest({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { ...(await layout.writeBlob(image, mediaTypes.config)), platform },
    layers: layers.map((layer) => layer.descriptor),
    annotations,
  });
  return { ...(await layout.writeBlob(manifest, mediaTypes.manifest)), annotations, platform };
}

/** Writes each file once, though several targets have it. */
export class LayerWriter {
  readonly layout: Layout;
  readonly #compression: Compression;
  readonly #written = new Map<string, Promise<Layer>>();

  constructor(layout: Layout, compression: Compression) {
    this.layout = layout;
    this.#compression = compression;
  }

  async write(file: LayerFile): Promise<Layer> {
    const key = `${file.target}\0${file.content.toString()}`;
    const writing = this.#written.get(key) ?? writeLayer(this.layout, file, this.#compression);
    this.#written.set(key, writing);
    const layer = await writing;
    const annotation = layerAnnotations[file.target];
    if (annotation === undefined) return layer;
    return { ...layer, descriptor: { ...layer.descriptor, annotations: { [annotation]: `/${file.target}` } } };
  }
}

const layerAnnotations: Readonly<Record<string, string>> = {
  'unikraft/bin/kernel': annotationKeys.kernelImage,
  'unikraft/bin/initrd': annotationKeys.kernelInitrd,
};

async function kernelParts(target: PackageTarget, kernel: string, layers: LayerWriter): Promise<TargetParts> {
  const features = kconfigFeatures(target.kconfig ?? {});
  const platform = {
    architecture: canonicalArchitecture(target.architecture),
    os: canonicalPlatform(target.platform),
    ...(target.version === undefined ? {} : { 'os.version': target.version }),
    ...(features.length === 0 ? {} : { 'os.features': features }),
  };
  const written = [await layers.write({ content: kernel, target: 'unikraft/bin/kernel', mode: 0o755 })];
  if (target.debugKernel !== undefined) {
    written.push(await layers.write({ content: target.debugKernel, target: 'unikraft/bin/kernel.dbg', mode: 0o755 }));
  }
  return { platform, layers: written, config: {} };
}

/** The runtime as it is: the same layers, so that all applications on it share them. */
async function runtimeParts({ source, digest }: RuntimeImage, layers: LayerWriter): Promise<TargetParts> {
  const { manifest, config, layers: own } = await readImage(source, digest);
  for (const layer of own) await receiveBlob(source, layer, layers.layout);
  return {
    platform: platformOf(config),
    layers: manifest.layers.map((descriptor, position) => ({
      descriptor,
      diffId: own[position]?.diffId ?? descriptor.digest,
    })),
    config: config.config,
  };
}

function initrdFile(content: string): LayerFile {
  return { content, target: 'unikraft/bin/initrd', mode: 0o644 };
}
