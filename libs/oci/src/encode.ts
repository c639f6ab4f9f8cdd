import type { Annotations, Descriptor, ImageConfig, ImageIndex, ImageManifest, Platform } from './model.ts';

/**
 * The bytes of a document exactly as Go's `encoding/json` makes them from image-spec's structures: no blanks, fields in
 * the structures' order, map keys sorted by byte, empty optional fields left out. `kraft` encodes manifests and
 * configurations again when it pushes and looks the result up by its digest, so no other bytes do in a shared store.
 */
export function encodeIndex(index: ImageIndex): Buffer {
  return encodeDocument(index, { manifests: listOrNull(index.manifests.map(descriptorFields)) });
}

/** See {@link encodeIndex}. */
export function encodeManifest(manifest: ImageManifest): Buffer {
  const { config, layers } = manifest;
  return encodeDocument(manifest, {
    config: descriptorFields(config),
    layers: listOrNull(layers.map(descriptorFields)),
  });
}

/** See {@link encodeIndex}. */
export function encodeConfig(image: ImageConfig): Buffer {
  const { config, rootfs, history } = image;
  return encode({
    created: filled(image.created),
    author: filled(image.author),
    ...platformFields(image),
    config: {
      User: filled(config.User),
      ExposedPorts: sortedMap(config.ExposedPorts),
      Env: filled(config.Env),
      Entrypoint: filled(config.Entrypoint),
      Cmd: filled(config.Cmd),
      Volumes: sortedMap(config.Volumes),
      WorkingDir: filled(config.WorkingDir),
      Labels: sortedMap(config.Labels),
      StopSignal: filled(config.StopSignal),
      ArgsEscaped: config.ArgsEscaped === true ? true : undefined,
    },
    rootfs: { type: rootfs.type, diff_ids: listOrNull(rootfs.diff_ids) },
    history: filled(
      history?.map((step) => ({
        created: filled(step.created),
        created_by: filled(step.created_by),
        author: filled(step.author),
        comment: filled(step.comment),
        empty_layer: step.empty_layer === true ? true : undefined,
      })),
    ),
  });
}

/** The bytes of a platform, by which copies of it are compared. */
export function encodePlatform(platform: Platform): string {
  return encode(platformFields(platform)).toString();
}

/** What indexes and manifests have in common, around what they hold. */
function encodeDocument(document: Omit<ImageIndex, 'manifests'>, content: object): Buffer {
  return encode({
    schemaVersion: document.schemaVersion,
    mediaType: filled(document.mediaType),
    artifactType: filled(document.artifactType),
    ...content,
    subject: document.subject && descriptorFields(document.subject),
    annotations: sortedMap(document.annotations),
  });
}

function platformFields(platform: Platform): object {
  return {
    architecture: platform.architecture,
    os: platform.os,
    'os.version': filled(platform['os.version']),
    'os.features': filled(platform['os.features']),
    variant: filled(platform.variant),
  };
}

function descriptorFields(descriptor: Descriptor): object {
  return {
    mediaType: descriptor.mediaType,
    digest: descriptor.digest,
    size: descriptor.size,
    urls: filled(descriptor.urls),
    annotations: sortedMap(descriptor.annotations),
    data: filled(descriptor.data),
    platform: descriptor.platform && platformFields(descriptor.platform),
    artifactType: filled(descriptor.artifactType),
  };
}

/** Go's `omitempty`. */
function filled<T extends string | readonly unknown[]>(value: T | undefined): T | undefined {
  return value === undefined || value.length === 0 ? undefined : value;
}

function listOrNull<T>(list: readonly T[]): readonly T[] | null {
  return list.length === 0 ? null : list;
}

/** A Map, since an object would put keys that look like numbers first. */
function sortedMap(map: Annotations | Readonly<Record<string, object>> | undefined): Map<string, unknown> | undefined {
  const entries = Object.entries(map ?? {});
  if (entries.length === 0) return undefined;
  return new Map<string, unknown>(entries.toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
}

function encode(document: object): Buffer {
  return Buffer.from(json(document));
}

function json(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, escape);
  if (Array.isArray(value)) return `[${value.map(json).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = value instanceof Map ? [...(value as Map<string, unknown>)] : Object.entries(value);
  const members = entries.filter(([, member]) => member !== undefined);
  return `{${members.map(([key, member]) => `${json(key)}:${json(member)}`).join(',')}}`;
}

/** Go escapes what could end a script in HTML or JavaScript. */
function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
