import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { ComponentFault } from './fault.ts';

/** A list of components (KraftKit's `index.yaml`). */
export interface Index {
  readonly manifests: readonly Manifest[];
}

/** What an index knows of one component; `manifest` is the URL of the rest, relative to the index. */
export interface Manifest {
  readonly name: string;
  /** `core`, `lib`, `app`, `arch` or `plat`. */
  readonly type: string;
  readonly manifest?: string | undefined;
  readonly description?: string | undefined;
  readonly origin?: string | undefined;
  readonly channels: readonly ManifestChannel[];
  readonly versions: readonly ManifestVersion[];
}

/** A name for what is newest of its kind. */
export interface ManifestChannel {
  readonly name: string;
  /** `true` for the one that is meant without a version. */
  readonly default?: string | undefined;
  /** The version that it is now. */
  readonly latest?: string | undefined;
  readonly resource?: string | undefined;
  readonly sha256?: string | undefined;
}

/** A release, or (type `gitsha`) a commit. */
export interface ManifestVersion {
  readonly version: string;
  readonly type?: string | undefined;
  /** The version of the core that it is made for. */
  readonly unikraft?: string | undefined;
  readonly resource?: string | undefined;
  readonly sha256?: string | undefined;
}

const text = z.string();
// An empty value, as in `sha256:`, is as good as none.
const optional = z.preprocess((value) => (value === '' ? undefined : value), text.optional());
const sha256 = z.preprocess(
  (value) => (typeof value !== 'string' || value === '' ? undefined : value.replace(/^sha256:/i, '').toLowerCase()),
  z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'is no sha256')
    .optional(),
);
const channelSchema = z.object({ name: text, default: optional, latest: optional, resource: optional, sha256 });
const versionSchema = z.object({ version: text, type: optional, unikraft: optional, resource: optional, sha256 });
const manifestSchema = z.object({
  name: text,
  type: text,
  manifest: optional,
  description: optional,
  origin: optional,
  channels: list(channelSchema),
  versions: list(versionSchema),
});
const indexSchema = z.object({ manifests: list(manifestSchema) });

function list<T extends z.ZodType>(item: T) {
  return z
    .union([z.array(item), z.literal('')])
    .optional()
    .transform((items) => items || []);
}

/**
 * Reads KraftKit's `index.yaml`, or a single component's manifest as an index of one.
 *
 * @throws ComponentFault COMPONENT_BAD_INDEX
 */
export function parseIndex(source: string, at: string): Index {
  const data = parseYaml(source, at);
  const isIndex = typeof data === 'object' && data !== null && 'manifests' in data;
  return isIndex ? check(indexSchema, data, at) : { manifests: [check(manifestSchema, data, at)] };
}

function parseYaml(source: string, at: string): unknown {
  try {
    // Without types: a version 0.10 must not become the number 0.1.
    return parse(source, { schema: 'failsafe' });
  } catch (error) {
    if (!(error instanceof YAMLParseError) && !(error instanceof ReferenceError)) throw error;
    throw new ComponentFault('COMPONENT_BAD_INDEX', `it is no YAML: ${error.message.split('\n')[0] ?? ''}`, { at });
  }
}

function check<T extends z.ZodType>(schema: T, data: unknown, at: string): z.infer<T> {
  const result = schema.safeParse(data);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const place = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
  throw new ComponentFault('COMPONENT_BAD_INDEX', `it is no index of components${place}: ${issue?.message ?? ''}`, {
    at,
  });
}
