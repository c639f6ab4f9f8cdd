import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrorCode } from '@nx-kraft/base';
import { type Reference, listEntries, parseReference, readImage, withTag } from '@nx-kraft/oci';
import type { TaskSurroundings } from './attest.ts';
import { type Kraftproject, ProjectFault, loadKraftproject } from './kraftproject.ts';
import { type PackedLayout, openPackedLayout } from './packed-layout.ts';
import { type PushOptions, pushTo } from './push-package.ts';

/** The label that the version of an image stands in, as the OCI's image specification names it. */
export const versionLabel = 'org.opencontainers.image.version';

/** Options of the task, and what `nx release publish` hands to it. */
export interface PublishOptions extends Omit<PushOptions, 'tags'> {
  /** A registry instead of the one in the image's name, as a host or URL. */
  readonly registry?: string;
  /** The tag beside the version; default: `latest`, but for a version before a release. */
  readonly tag?: string;
  /** By project, what `nx release version` did before. */
  readonly nxReleaseVersionData?: Readonly<Record<string, { readonly newVersion: string | null }>>;
}

/** Pushes what was packed for a Kraftfile under its released version. */
export async function publishRelease(
  workspaceRoot: string,
  options: PublishOptions,
  surroundings: TaskSurroundings,
): Promise<void> {
  const project = await loadKraftproject(workspaceRoot, options.kraftfile);
  const version = releasedVersion(project, options.nxReleaseVersionData?.[surroundings.projectName ?? '']?.newVersion);
  const packed = await openPackedLayout(project);
  // A dry run of a version has written none.
  if (options.dryRun !== true) await checkVersion(project, packed);
  const named = options.name === undefined ? packed.names[0] : parseReference(options.name);
  const isBefore = version.includes('-');
  const tags = [version, ...(options.tag === undefined ? (isBefore ? [] : ['latest']) : [options.tag])];
  // A tag has no plus sign; build metadata is told in the same place by a dash, as Helm does with an underscore.
  const names = tags.map((tag) => withTag(inRegistry(named, options.registry), tag.replaceAll('+', '_')));
  // A version is released once; the tag beside it moves on.
  await pushTo(workspaceRoot, packed, names.slice(0, 1), { strategy: 'abort', ...options }, surroundings);
  await pushTo(
    workspaceRoot,
    packed,
    names.slice(1),
    { ...options, provenance: false, strategy: 'overwrite' },
    surroundings,
  );
}

/**
 * What was packed before its version was given would be released under the wrong one: where Nx is to publish some projects
 * only (`--projects`, `--groups`), it runs nothing that these wait for.
 *
 * @throws ProjectFault KRAFTFILE_NOT_BUILT
 */
async function checkVersion({ file, kraftfile }: Kraftproject, { layout, root }: PackedLayout): Promise<void> {
  const version = kraftfile.labels[versionLabel];
  const [entry] = await listEntries(layout, root);
  if (version === undefined || entry === undefined) return;
  const { config } = await readImage(layout, entry.digest);
  const packed = config.config.Labels?.[versionLabel];
  if (packed === version) return;
  const before = packed === undefined ? 'before it had a version' : `as version ${packed}`;
  throw new ProjectFault('KRAFTFILE_NOT_BUILT', `it was packed ${before}, and is ${version} now`, {
    at: file,
    hint: 'Run its task package first: Nx leaves that out when it publishes some of the projects only.',
  });
}

function inRegistry(reference: Reference, registry: string | undefined): Reference {
  return registry === undefined
    ? reference
    : { ...reference, registry: registry.replace(/^https?:\/\//, '').replace(/\/.*$/, '') };
}

/** What was released just now, else what the Kraftfile or the manifest beside it says. */
function releasedVersion({ file, folder, kraftfile }: Kraftproject, justNow: string | null | undefined): string {
  const version = justNow ?? kraftfile.labels[versionLabel] ?? manifestVersion(join(folder, 'package.json'));
  if (version !== undefined) return version;
  throw new ProjectFault('KRAFTFILE_NO_VERSION', 'it has no version to be published under', {
    at: file,
    hint: `nx release version gives it one, as the label ${versionLabel}.`,
  });
}

function manifestVersion(path: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as { version?: string }).version;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
