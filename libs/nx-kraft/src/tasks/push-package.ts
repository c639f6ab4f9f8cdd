import {
  BlobSources,
  type Digest,
  ImageStore,
  type Reference,
  Repository,
  formatReference,
  parseReference,
  pushImage,
  repositoryName,
  withTag,
} from '@nx-kraft/oci';
import { transferReporter } from './image-progress.ts';
import { loadKraftproject } from './kraftproject.ts';
import { type PackedLayout, openPackedLayout } from './packed-layout.ts';
import { type AttestOptions, type TaskSurroundings, attestImage } from './attest.ts';
import { type RegistryAccess, openRegistries } from './registry.ts';
import { type AskedStrategy, settleStrategy } from './strategy.ts';
import { tell } from './task.ts';

export interface PushOptions extends RegistryAccess, AttestOptions {
  /** The Kraftfile, relative to the workspace. */
  readonly kraftfile: string;
  /** Where the image goes; default: all names that it was packed under. */
  readonly name?: string;
  /** More tags there. */
  readonly tags?: readonly string[];
  /** What becomes of another image that has the name. */
  readonly strategy?: AskedStrategy;
  /** Only tell what would be done. */
  readonly dryRun?: boolean;
}

/** Pushes what was packed for a Kraftfile; what the registry has already is not sent again. */
export async function pushPackage(
  workspaceRoot: string,
  options: PushOptions,
  surroundings: TaskSurroundings,
): Promise<void> {
  const packed = await openPackedLayout(await loadKraftproject(workspaceRoot, options.kraftfile));
  const names = options.name === undefined ? packed.names : [parseReference(options.name)];
  await pushTo(workspaceRoot, packed, withTags(names, options.tags ?? []), options, surroundings);
}

/** Pushes what was packed under names, and attests it there. */
export async function pushTo(
  workspaceRoot: string,
  { layout, root }: PackedLayout,
  names: readonly Reference[],
  options: PushOptions,
  surroundings: TaskSurroundings,
): Promise<void> {
  if (options.dryRun === true) {
    for (const name of names) tell(`would push ${formatReference(name)}@${root.descriptor.digest}`);
    return;
  }
  const client = openRegistries(options);
  const sources = new BlobSources(await ImageStore.open());
  const images = new Map<string, { readonly reference: Reference; readonly digest: Digest }>();
  try {
    for (const reference of names) {
      const name = formatReference(reference);
      const strategy = await settleStrategy(options.strategy, name, async () => {
        const there = await new Repository(client, reference).digestOf(reference.tag ?? root.descriptor.digest);
        return there !== undefined && there !== root.descriptor.digest;
      });
      const { end, sent, progress } = transferReporter(process.stdout, 'sent');
      const pushed = await pushImage(client, layout, root, reference, { sources, strategy, ...progress }).finally(end);
      tell(`${pushed.reference}@${pushed.digest}`);
      tell(pushed.wasThere ? 'it was there already' : `${sent()} ${sent() === 1 ? 'blob' : 'blobs'} sent`);
      images.set(`${repositoryName(reference)}@${pushed.digest}`, { reference, digest: pushed.digest });
    }
    // What is said is said of a digest, however many tags it has.
    for (const { reference, digest } of images.values()) {
      await attestImage(workspaceRoot, client, reference, digest, options, surroundings);
    }
  } finally {
    client.close();
  }
}

/** The names, and the first one under other tags. */
function withTags(names: readonly Reference[], tags: readonly string[]): readonly Reference[] {
  const [first] = names;
  const more = first === undefined ? [] : tags.map((tag) => withTag(first, tag));
  return [...new Map([...names, ...more].map((name) => [formatReference(name), name])).values()];
}
