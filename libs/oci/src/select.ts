import { annotationKeys } from './annotations.ts';
import { decodeConfig, decodeDocument, decodeManifest } from './decode.ts';
import type { Digest } from './digest.ts';
import { OciFault } from './fault.ts';
import { isManifestType, mediaTypes } from './media-types.ts';
import type { Annotations, Descriptor, ImageManifest, Platform } from './model.ts';
import { canonicalArchitecture, canonicalPlatform, platformName, platformOf } from './platform.ts';
import type { ImageSource } from './source.ts';

/** One manifest of an image, and what it is for. */
export interface ImageEntry {
  readonly digest: Digest;
  readonly platform: Platform;
  /** RFC 3339, as the packager says; '' when it says nothing. */
  readonly created: string;
  /** Those of the descriptor in the index, or of the manifest where there is no index. */
  readonly annotations: Annotations;
}

/** Which manifests are wanted; what is not given does not matter. */
export interface Wanted {
  /** `qemu`, `fc`, `xen`, …, or `linux` for containers; `kvm` and `firecracker` mean the first two. */
  readonly platform?: string;
  /** `x86_64`, `arm64`, …; `amd64` and `aarch64` mean these. */
  readonly architecture?: string;
  /** `CONFIG_X=value`, all of which the image must have, exactly. */
  readonly kconfig?: readonly string[];
}

/** An index or manifest that a name stands for. */
export interface Root {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

/**
 * All manifests of an image. Sizes in the index are not looked at, since `kraft` writes wrong ones. Where the index
 * says nothing of a platform, the manifest and then the configuration are asked (section 1.8 of the reference).
 *
 * @throws OciFault DOCUMENT_INVALID, BLOB_MISSING, DIGEST_MISMATCH, and the faults of the source
 */
export async function listEntries(source: ImageSource, root: Root): Promise<readonly ImageEntry[]> {
  const document = decodeDocument(root.bytes, root.descriptor.mediaType, source.name);
  if (document.kind === 'manifest') return [await entryOf(source, root.descriptor, document.manifest)];
  const entries: ImageEntry[] = [];
  for (const child of document.index.manifests) {
    if (!isManifestType(child.mediaType) || isAttestation(child)) continue;
    const { digest, platform } = child;
    entries.push(
      platform === undefined
        ? await entryOf(source, child, decodeManifest(await source.readManifest(digest), source.name))
        : { digest, platform, created: createdOf(child), annotations: child.annotations ?? {} },
    );
  }
  return entries;
}

/**
 * The entries that are as wanted, the newest first, since `kraft` leaves older ones of the same platform in an index.
 *
 * @param name  of the image, for the fault
 * @throws OciFault PLATFORM_MISSING when there is none, with what there is
 */
export function selectEntries(entries: readonly ImageEntry[], wanted: Wanted, name: string): readonly ImageEntry[] {
  const found = entries.filter(({ platform }) => isWanted(platform, wanted));
  if (found.length > 0) return found.toSorted((a, b) => compare(b.created, a.created));
  const asked = [wanted.platform ?? '*', wanted.architecture ?? '*'].join('/');
  const options = wanted.kconfig === undefined ? '' : ` with ${wanted.kconfig.join(', ')}`;
  const there = [...new Set(entries.map(({ platform }) => platformName(platform)))].toSorted();
  throw new OciFault('PLATFORM_MISSING', `the image has nothing for ${asked}${options}`, {
    at: name,
    hint: there.length === 0 ? 'It is empty.' : `It has: ${there.join(', ')}.`,
  });
}

/** Whether something for this platform is wanted. */
export function isWanted(platform: Platform, wanted: Wanted): boolean {
  const { platform: os, architecture, kconfig = [] } = wanted;
  const features = new Set(platform['os.features']);
  return (
    (os === undefined || canonicalPlatform(platform.os) === canonicalPlatform(os)) &&
    (architecture === undefined ||
      canonicalArchitecture(platform.architecture) === canonicalArchitecture(architecture)) &&
    kconfig.every((option) => features.has(option))
  );
}

/** What this machine can run: the platform is the caller's choice. */
export function hostArchitecture(): string {
  return process.arch === 'arm64' ? 'arm64' : 'x86_64';
}

async function entryOf(source: ImageSource, descriptor: Descriptor, manifest: ImageManifest): Promise<ImageEntry> {
  const { digest } = descriptor;
  const platform = manifest.config.platform ?? (await platformOfConfig(source, manifest));
  return { digest, platform, created: createdOf(manifest), annotations: manifest.annotations ?? {} };
}

async function platformOfConfig(source: ImageSource, manifest: ImageManifest): Promise<Platform> {
  // Not a configuration but something else in an image's clothes, such as a Helm chart or a signature.
  if (manifest.config.mediaType === mediaTypes.empty) return { architecture: 'unknown', os: 'unknown' };
  return platformOf(decodeConfig(await source.readBlob(manifest.config.digest), source.name));
}

/** BuildKit keeps provenance in an index as manifests of the platform `unknown/unknown`. */
function isAttestation(descriptor: Descriptor): boolean {
  return descriptor.annotations?.['vnd.docker.reference.type'] === 'attestation-manifest';
}

function createdOf({ annotations }: { readonly annotations?: Readonly<Record<string, string>> }): string {
  return annotations?.[annotationKeys.created] ?? '';
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
