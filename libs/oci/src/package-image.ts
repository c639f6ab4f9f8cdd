import { randomUUID } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { hasErrorCode } from '@nx-kraft/base';
import { annotationKeys, namedRoot } from './annotations.ts';
import type { Digest } from './digest.ts';
import { encodeConfig, encodeIndex, encodeManifest } from './encode.ts';
import { OciFault } from './fault.ts';
import { type Layer, type LayerFile, writeLayer } from './layer.ts';
import { Layout } from './layout.ts';
import { type Compression, mediaTypes } from './media-types.ts';
import type { Descriptor, Platform } from './model.ts';
import {
  canonicalArchitecture,
  canonicalPlatform,
  embedsRootfs,
  kconfigFeatures,
  platformName,
  samePlatform,
} from './platform.ts';
import { formatReference, parseReference, type Reference, repositoryName } from './reference.ts';

/** All that decides an image: equal plans with equal files give equal bytes. */
export interface PackagePlan {
  /** Name of the image; `unikraft.org/` and `:latest` are added where missing. */
  readonly reference: string;
  /** In the order in which they stand in the index. */
  readonly targets: readonly PackageTarget[];
  /** Seconds since 1970, as in SOURCE_DATE_EPOCH (default 0): no clock is asked. */
  readonly created?: number;
  /** Version of what packages; `kraft` wants one, whatever it says. */
  readonly toolVersion: string;
  /** How layers are compressed (default none). `kraft` can run nothing but plain layers. */
  readonly compression?: Compression;
}

export interface PackageTarget {
  readonly architecture: string;
  readonly platform: string;
  /** Version of Unikraft's core, such as `0.17.0~abcdef0`. */
  readonly version?: string;
  /** Path of the kernel. */
  readonly kernel: string;
  /** Path of the root filesystem; it is left out when the KConfig says that the kernel has it inside. */
  readonly initrd?: string;
  /** Path of the kernel with debug information, which is added as a layer of its own. */
  readonly debugKernel?: string;
  /** The finished KConfig by symbol; without it the image says nothing about its KConfig. */
  readonly kconfig?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface PackagedImage {
  /** The reference in full. */
  readonly reference: string;
  /** Digest of the index, by which the image can be named for ever. */
  readonly digest: Digest;
  readonly manifests: readonly PackagedManifest[];
}

export interface PackagedManifest {
  readonly digest: Digest;
  readonly platform: Platform;
  /** Sum of the layers in bytes. */
  readonly size: number;
}

/**
 * Packages all targets as one image: an OCI index with a manifest for each platform, architecture and KConfig, in an
 * OCI image layout at `layoutFolder`, which appears whole or stays as it was. Follows sections 1.1 to 1.9 of the
 * reference, so that `kraft` can pull and run it.
 *
 * @throws OciFault REFERENCE_INVALID, PACKAGE_INVALID, INPUT_MISSING, COMPRESSION_UNSUPPORTED
 */
export async function packageImage(plan: PackagePlan, layoutFolder: string): Promise<PackagedImage> {
  const reference = parseReference(plan.reference);
  if (reference.tag === undefined) throw invalid(plan.reference, 'an image is packaged under a tag, not a digest');
  const platforms = plan.targets.map(platformOf);
  checkPlatforms(platforms, plan.reference);
  return replaceFolder(layoutFolder, async (folder) => {
    const layout = await Layout.create(folder);
    const layers = new LayerWriter(layout, plan.compression ?? 'none');
    const manifests: Descriptor[] = [];
    const packaged: PackagedManifest[] = [];
    for (const [position, target] of plan.targets.entries()) {
      const platform = platforms[position] as Platform;
      const written = await layers.write(filesOf(target, platform));
      const manifest = await writeManifest(layout, { plan, reference, target, platform, layers: written });
      manifests.push(manifest);
      packaged.push({ digest: manifest.digest, platform, size: sumSizes(written) });
    }
    const index = encodeIndex({
      schemaVersion: 2,
      mediaType: mediaTypes.index,
      manifests,
      annotations: {
        [annotationKeys.refName]: repositoryName(reference),
        [annotationKeys.kraftVersion]: plan.toolVersion,
        [annotationKeys.containerdName]: formatReference(reference),
      },
    });
    const descriptor = await layout.writeBlob(index, mediaTypes.index);
    await layout.changeRoots(() => [namedRoot(descriptor, reference)]);
    return { reference: formatReference(reference), digest: descriptor.digest, manifests: packaged };
  });
}

function platformOf(target: PackageTarget): Platform {
  const features = kconfigFeatures(target.kconfig ?? {});
  return {
    architecture: canonicalArchitecture(target.architecture),
    os: canonicalPlatform(target.platform),
    ...(target.version === undefined ? {} : { 'os.version': target.version }),
    ...(features.length === 0 ? {} : { 'os.features': features }),
  };
}

function checkPlatforms(platforms: readonly Platform[], reference: string): void {
  if (platforms.length === 0) throw invalid(reference, 'there is no target to package');
  const twice = platforms.find((platform, position) =>
    platforms.slice(0, position).some((earlier) => samePlatform(earlier, platform)),
  );
  if (twice === undefined) return;
  throw invalid(reference, `two targets are ${platformName(twice)} with the same KConfig, so none could be chosen`);
}

function filesOf(target: PackageTarget, platform: Platform): readonly LayerFile[] {
  const initrd = embedsRootfs(platform['os.features'] ?? []) ? undefined : target.initrd;
  return [
    { path: target.kernel, target: 'unikraft/bin/kernel', mode: 0o755 },
    ...(target.debugKernel === undefined
      ? []
      : [{ path: target.debugKernel, target: 'unikraft/bin/kernel.dbg', mode: 0o755 }]),
    ...(initrd === undefined ? [] : [{ path: initrd, target: 'unikraft/bin/initrd', mode: 0o644 }]),
  ];
}

/** Writes each file once, though several targets have it. */
class LayerWriter {
  readonly #layout: Layout;
  readonly #compression: Compression;
  readonly #written = new Map<string, Layer>();

  constructor(layout: Layout, compression: Compression) {
    this.#layout = layout;
    this.#compression = compression;
  }

  async write(files: readonly LayerFile[]): Promise<readonly Layer[]> {
    const layers: Layer[] = [];
    for (const file of files) {
      const key = `${file.target}\0${file.path}`;
      const layer = this.#written.get(key) ?? (await writeLayer(this.#layout, file, this.#compression));
      this.#written.set(key, layer);
      const annotation = layerAnnotations[file.target];
      const annotations = annotation === undefined ? {} : { annotations: { [annotation]: `/${file.target}` } };
      layers.push({ ...layer, descriptor: { ...layer.descriptor, ...annotations } });
    }
    return layers;
  }
}

const layerAnnotations: Readonly<Record<string, string>> = {
  'unikraft/bin/kernel': annotationKeys.kernelImage,
  'unikraft/bin/initrd': annotationKeys.kernelInitrd,
};

interface ManifestParts {
  readonly plan: PackagePlan;
  readonly reference: Reference;
  readonly target: PackageTarget;
  readonly platform: Platform;
  readonly layers: readonly Layer[];
}

async function writeManifest(layout: Layout, parts: ManifestParts): Promise<Descriptor> {
  const { plan, reference, target, platform, layers } = parts;
  const config = encodeConfig({
    ...platform,
    config: {
      Env: Object.entries(target.environment ?? {})
        .map(([name, value]) => `${name}=${value}`)
        .toSorted(),
      Cmd: target.command ?? [],
      Labels: target.labels ?? {},
    },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
  });
  const annotations = {
    [annotationKeys.refName]: repositoryName(reference),
    [annotationKeys.created]: formatTime(plan.created ?? 0),
    [annotationKeys.kraftVersion]: plan.toolVersion,
    [annotationKeys.containerdName]: formatReference(reference),
    [annotationKeys.imageName]: repositoryName(reference),
    ...(target.version === undefined ? {} : { [annotationKeys.kernelVersion]: target.version }),
  };
  const manifest = encodeManifest({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { ...(await layout.writeBlob(config, mediaTypes.config)), platform },
    layers: layers.map((layer) => layer.descriptor),
    annotations,
  });
  return { ...(await layout.writeBlob(manifest, mediaTypes.manifest)), annotations, platform };
}

/** RFC 3339 in whole seconds, UTC. */
function formatTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

function sumSizes(layers: readonly Layer[]): number {
  return layers.reduce((sum, layer) => sum + layer.descriptor.size, 0);
}

function invalid(reference: string, message: string): OciFault {
  return new OciFault('PACKAGE_INVALID', message, {
    at: reference,
    hint: 'Correct the name, or choose among the targets of the Kraftfile.',
  });
}

/**
 * Makes a folder appear whole in place of an older one. The older one is moved away first, since no system call swaps
 * folders everywhere: who is killed between the two renames leaves none, never half of one.
 */
async function replaceFolder<T>(path: string, make: (temporaryPath: string) => Promise<T>): Promise<T> {
  const mark = randomUUID();
  const temporary = join(dirname(path), `.${basename(path)}.${mark}.tmp`);
  const old = join(dirname(path), `.${basename(path)}.${mark}.old`);
  try {
    const result = await make(temporary);
    await moveIfThere(path, old);
    await rename(temporary, path);
    return result;
  } finally {
    await rm(temporary, { recursive: true, force: true });
    await rm(old, { recursive: true, force: true });
  }
}

async function moveIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
  }
}
