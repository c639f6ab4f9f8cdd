import { annotationKeys } from './annotations.ts';
import { formatSize } from './catalog.ts';
import type { Digest } from './digest.ts';
import { OciFault } from './fault.ts';
import { type Image, readImage } from './image.ts';
import { formatReference, type Reference } from './reference.ts';
import { listEntries, type Root } from './select.ts';
import type { ImageSource } from './source.ts';
import { printable } from './table.ts';

/** All that an image says about itself, for people and programs. */
export interface ImageDetails {
  readonly reference: string;
  readonly digest: Digest;
  readonly manifests: readonly ManifestDetails[];
}

export interface ManifestDetails {
  readonly digest: Digest;
  readonly platform: string;
  readonly architecture: string;
  readonly version?: string;
  readonly created?: string;
  readonly command: readonly string[];
  readonly entrypoint: readonly string[];
  readonly environment: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly kconfig: readonly string[];
  readonly layers: readonly { readonly digest: Digest; readonly size: number; readonly mediaType: string }[];
}

/**
 * Describes an image of the store or of a registry. Of an image that was pulled for one platform the manifests of the
 * others are not there, and are left out.
 *
 * @throws OciFault DIGEST_MISMATCH, DOCUMENT_INVALID, and the faults of the source
 */
export async function inspectImage(source: ImageSource, root: Root, reference: Reference): Promise<ImageDetails> {
  const manifests: ManifestDetails[] = [];
  for (const { digest, annotations } of await listEntries(source, root)) {
    const image = await readIfThere(source, digest);
    if (image === undefined) continue;
    const { config, layers } = image;
    const created = annotations[annotationKeys.created] ?? config.created;
    manifests.push({
      digest,
      platform: config.os,
      architecture: config.architecture,
      ...(config['os.version'] === undefined ? {} : { version: config['os.version'] }),
      ...(created === undefined ? {} : { created }),
      command: config.config.Cmd ?? [],
      entrypoint: config.config.Entrypoint ?? [],
      environment: config.config.Env ?? [],
      labels: config.config.Labels ?? {},
      kconfig: config['os.features'] ?? [],
      layers: layers.map(({ digest, size, mediaType }) => ({ digest, size, mediaType })),
    });
  }
  return { reference: formatReference(reference), digest: root.descriptor.digest, manifests };
}

async function readIfThere(source: ImageSource, digest: Digest): Promise<Image | undefined> {
  try {
    return await readImage(source, digest);
  } catch (error) {
    if (error instanceof OciFault && error.code === 'BLOB_MISSING') return undefined;
    throw error;
  }
}

/** The details as text for a terminal, an empty line between manifests. */
export function formatDetails({ reference, digest, manifests }: ImageDetails): string {
  return [`${reference}\n${digest}\n`, ...manifests.map(formatManifest)].join('\n');
}

function formatManifest(details: ManifestDetails): string {
  const { digest, platform, architecture, version, created, command, entrypoint, environment, labels, kconfig } =
    details;
  const lines = [
    [`${platform}/${architecture}`, digest],
    ['Unikraft', version ?? ''],
    ['created', created ?? ''],
    ['command', [...entrypoint, ...command].join(' ')],
    ['environment', environment.join(' ')],
    ...Object.entries(labels).map(([key, value]) => ['label', `${key}=${value}`]),
    ...details.layers.map((layer) => ['layer', `${layer.digest} ${formatSize(layer.size)}`]),
    ['KConfig', kconfig.length === 0 ? '' : `${kconfig.length} options`],
  ].filter(([, value]) => value !== '');
  return lines.map(([name = '', value = '']) => `${name.padEnd(14)}${printable(value)}\n`).join('');
}
