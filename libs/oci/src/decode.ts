import { z } from 'zod';
import { type Digest, isDigest } from './digest.ts';
import { OciFault } from './fault.ts';
import { isIndexType, isManifestType } from './media-types.ts';
import type { Descriptor, ImageConfig, ImageIndex, ImageManifest } from './model.ts';

/** What the bytes behind a tag can be. */
export type Document =
  | { readonly kind: 'index'; readonly index: ImageIndex }
  | { readonly kind: 'manifest'; readonly manifest: ImageManifest };

/** Registries accept no larger ones, and no honest image needs more. */
export const largestDocument = 4 * 1024 * 1024;

/**
 * An index or a manifest, told apart by its own media type, by `mediaType` (as the registry or descriptor says), or by
 * what is in it.
 *
 * @param at  where the bytes come from, for the fault
 * @throws OciFault DOCUMENT_INVALID
 */
export function decodeDocument(bytes: Buffer, mediaType: string | undefined, at: string): Document {
  const value = parseJson(bytes, at);
  const own = typedShape.safeParse(value);
  const type = own.success ? own.data.mediaType : (mediaType ?? '');
  if (isIndexType(type)) return { kind: 'index', index: check(indexShape, value, 'image index', at) };
  if (isManifestType(type)) return { kind: 'manifest', manifest: check(manifestShape, value, 'image manifest', at) };
  if (typeof value === 'object' && value !== null && 'manifests' in value) {
    return { kind: 'index', index: check(indexShape, value, 'image index', at) };
  }
  return { kind: 'manifest', manifest: check(manifestShape, value, 'image manifest', at) };
}

/** @throws OciFault DOCUMENT_INVALID, as {@link decodeDocument} */
export function decodeIndex(bytes: Buffer, at: string): ImageIndex {
  return check(indexShape, parseJson(bytes, at), 'image index', at);
}

/** @throws OciFault DOCUMENT_INVALID, as {@link decodeDocument} */
export function decodeManifest(bytes: Buffer, at: string): ImageManifest {
  return check(manifestShape, parseJson(bytes, at), 'image manifest', at);
}

/**
 * The layers of a manifest alone, for those who look at thousands: all else is passed over unseen.
 *
 * @throws OciFault DOCUMENT_INVALID
 */
export function decodeLayers(bytes: Buffer, at: string): readonly Pick<Descriptor, 'digest' | 'size'>[] {
  return check(layersShape, parseJson(bytes, at), 'image manifest', at).layers;
}

/** @throws OciFault DOCUMENT_INVALID, as {@link decodeDocument} */
export function decodeConfig(bytes: Buffer, at: string): ImageConfig {
  return check(configShape, parseJson(bytes, at), 'image configuration', at);
}

/** Unknown members are left out; `null`, which Go writes for empty lists and maps, is as good as nothing. */
const text = z.string();
const texts = z.array(text);
/** As {@link texts}, for the hundreds of options of a KConfig: zod takes longer for these than for all else of an image. */
const manyTexts = z.custom<readonly string[]>(
  (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
  'is no list of texts',
);
const textMap = z.record(text, text);
const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'is no sha256 digest');
const byteCount = z.int().nonnegative();

const platformMembers = {
  architecture: text,
  os: text,
  'os.version': text.exactOptional(),
  'os.features': manyTexts.exactOptional(),
  variant: text.exactOptional(),
};

const descriptorShape = z.object({
  mediaType: text,
  digest,
  size: byteCount,
  urls: texts.exactOptional(),
  annotations: textMap.exactOptional(),
  data: text.exactOptional(),
  platform: z.object(platformMembers).exactOptional(),
  artifactType: text.exactOptional(),
});

const documentMembers = {
  schemaVersion: z.literal(2),
  mediaType: text.exactOptional(),
  artifactType: text.exactOptional(),
  subject: descriptorShape.exactOptional(),
  annotations: textMap.exactOptional(),
};

const typedShape = z.object({ mediaType: text });

const indexShape = z.object({ ...documentMembers, manifests: z.array(descriptorShape).default([]) });

const manifestShape = z.object({
  ...documentMembers,
  config: descriptorShape,
  layers: z.array(descriptorShape).default([]),
});

const layersShape = z.object({ layers: z.array(z.object({ digest, size: byteCount })).default([]) });

const runConfigShape = z.object({
  User: text.exactOptional(),
  ExposedPorts: z.record(text, z.object({})).exactOptional(),
  Env: texts.exactOptional(),
  Entrypoint: texts.exactOptional(),
  Cmd: texts.exactOptional(),
  Volumes: z.record(text, z.object({})).exactOptional(),
  WorkingDir: text.exactOptional(),
  Labels: textMap.exactOptional(),
  StopSignal: text.exactOptional(),
  ArgsEscaped: z.boolean().exactOptional(),
});

const historyShape = z.object({
  created: text.exactOptional(),
  created_by: text.exactOptional(),
  author: text.exactOptional(),
  comment: text.exactOptional(),
  empty_layer: z.boolean().exactOptional(),
});

const configShape = z.object({
  created: text.exactOptional(),
  author: text.exactOptional(),
  ...platformMembers,
  config: runConfigShape.default({}),
  rootfs: z.object({ type: z.literal('layers'), diff_ids: z.array(digest).default([]) }),
  history: z.array(historyShape).exactOptional(),
});

/** @throws OciFault DOCUMENT_INVALID */
export function parseJson(bytes: Buffer, at: string): unknown {
  try {
    // To visit every member takes ten times as long, and nearly no document has a null.
    if (!bytes.includes('null')) return JSON.parse(bytes.toString('utf8'));
    return JSON.parse(bytes.toString('utf8'), (_, value: unknown) => value ?? undefined);
  } catch (error) {
    throw new OciFault('DOCUMENT_INVALID', 'this is no JSON document', {
      at,
      hint: 'It is damaged, or no OCI image. If it came from a registry, is there a login page or proxy in between?',
      cause: error,
    });
  }
}

function check<T>(shape: z.ZodType<T>, value: unknown, what: string, at: string): T {
  const result = shape.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const place = issue === undefined ? '' : `: ${issue.path.join('.')} ${issue.message}`;
  throw new OciFault('DOCUMENT_INVALID', `this is no valid ${what}${place}`, {
    at,
    hint: 'What wrote it does not follow the OCI image specification. Package the image again.',
  });
}
