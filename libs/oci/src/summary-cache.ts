import { hasErrorCode, replaceAtomically } from '@nx-kraft/base';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { decodeLayers } from './decode.ts';
import { type Digest, hexOf, isDigest } from './digest.ts';
import type { Layout } from './layout.ts';
import type { Descriptor } from './model.ts';
import { listEntries } from './select.ts';
import { sumSizes } from './transfer.ts';

/** What a listing needs of an index: one entry for each manifest. */
export interface EntrySummary {
  readonly digest: Digest;
  readonly os: string;
  readonly architecture: string;
}

/** What a listing needs of a manifest. */
export interface ManifestSummary {
  readonly size: number;
  readonly layers: readonly Digest[];
}

/**
 * Remembers what listings need of indexes and manifests, by their digests, in one file beside the blobs: with their
 * KConfig in three copies, reading a thousand of them takes too long. The file may be lost at any time.
 */
export class SummaryCache {
  readonly #layout: Layout;
  readonly #path: string;
  readonly #indexes: Map<Digest, readonly EntrySummary[]>;
  readonly #manifests: Map<Digest, ManifestSummary>;
  #hasChanged = false;

  private constructor(layout: Layout, path: string, content: Content) {
    this.#layout = layout;
    this.#path = path;
    this.#indexes = new Map(Object.entries(content.indexes) as [Digest, readonly EntrySummary[]][]);
    this.#manifests = new Map(Object.entries(content.manifests) as [Digest, ManifestSummary][]);
  }

  static async open(layout: Layout): Promise<SummaryCache> {
    const path = join(layout.folder, 'summaries.json');
    return new SummaryCache(layout, path, await readContent(path));
  }

  async entriesOf(descriptor: Descriptor): Promise<readonly EntrySummary[]> {
    const known = this.#indexes.get(descriptor.digest);
    if (known !== undefined) return known;
    const bytes = await this.#layout.readBlob(descriptor.digest);
    const entries = (await listEntries(this.#layout, { descriptor, bytes })).map(
      ({ digest, platform: { os, architecture } }) => ({ digest, os, architecture }),
    );
    this.#indexes.set(descriptor.digest, entries);
    this.#hasChanged = true;
    return entries;
  }

  async manifestOf(digest: Digest): Promise<ManifestSummary> {
    const known = this.#manifests.get(digest);
    if (known !== undefined) return known;
    const layers = decodeLayers(await this.#layout.readManifest(digest), this.#layout.blobPath(digest));
    const summary = { size: sumSizes(layers), layers: layers.map((layer) => layer.digest) };
    this.#manifests.set(digest, summary);
    this.#hasChanged = true;
    return summary;
  }

  /** Keeps what was learnt, so far as it is about blobs that are still there, given by their file names. */
  async save(files: ReadonlySet<string>): Promise<void> {
    if (!this.#hasChanged) return;
    const living = <T>(map: Map<Digest, T>) =>
      Object.fromEntries([...map].filter(([digest]) => files.has(hexOf(digest))));
    const content: Content = { version: 1, indexes: living(this.#indexes), manifests: living(this.#manifests) };
    await replaceAtomically(this.#path, (path) => writeFile(path, JSON.stringify(content)));
  }
}

interface Content {
  readonly version: 1;
  readonly indexes: Readonly<Record<string, readonly EntrySummary[]>>;
  readonly manifests: Readonly<Record<string, ManifestSummary>>;
}

const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value));
const contentShape = z.object({
  version: z.literal(1),
  indexes: z.record(z.string(), z.array(z.object({ digest, os: z.string(), architecture: z.string() }))),
  manifests: z.record(z.string(), z.object({ size: z.number(), layers: z.array(digest) })),
});

async function readContent(path: string): Promise<Content> {
  const nothing: Content = { version: 1, indexes: {}, manifests: {} };
  try {
    return contentShape.safeParse(JSON.parse(await readFile(path, 'utf8'))).data ?? nothing;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT') || error instanceof SyntaxError) return nothing;
    throw error;
  }
}
