import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { annotationKeys, namedRoot } from './annotations.ts';
import { encodeIndex } from './encode.ts';
import { OciFault } from './fault.ts';
import { Layout } from './layout.ts';
import { mediaTypes } from './media-types.ts';
import type { Descriptor, Platform } from './model.ts';
import type { PackagedImage, PackagedManifest, PackagePlan } from './package-plan.ts';
import { LayerWriter, packageTarget, type TargetParts, writeManifest } from './package-target.ts';
import { platformName, samePlatform } from './platform.ts';
import { formatReference, parseReference, type Reference, repositoryName, withTag } from './reference.ts';
import { replaceFolder } from './replace-folder.ts';
import { uruncTargets } from './urunc.ts';

/**
 * Packages all targets as one image: an OCI index with a manifest for each platform, architecture and KConfig, in an
 * OCI image layout at `layoutFolder`, which appears whole or stays as it was. Follows sections 1.1 to 1.9 of the
 * reference, so that `kraft` can pull and run it.
 *
 * @throws OciFault REFERENCE_INVALID, PACKAGE_INVALID, INPUT_MISSING, COMPRESSION_UNSUPPORTED, and what reading a
 *   runtime throws
 */
export async function packageImage(plan: PackagePlan, layoutFolder: string): Promise<PackagedImage> {
  const reference = parseReference(plan.reference);
  if (reference.tag === undefined) throw invalid(plan.reference, 'an image is packaged under a tag, not a digest');
  if (!Number.isSafeInteger(plan.created ?? 0)) throw invalid(plan.reference, `${plan.created} is no time in seconds`);
  if (plan.targets.length === 0) throw invalid(plan.reference, 'there is no target to package');
  return replaceFolder(layoutFolder, async (folder) => {
    const layout = await Layout.create(folder);
    const layers = new LayerWriter(layout, plan.compression ?? 'none');
    const targets: TargetParts[] = [];
    for (const target of plan.targets) targets.push(await packageTarget(target, layers));
    checkPlatforms(
      targets.map((target) => target.platform),
      plan.reference,
    );
    const containers = plan.urunc === true ? await uruncTargets(targets, layers) : [];
    const manifests: Descriptor[] = [];
    for (const parts of [...targets, ...containers]) {
      manifests.push(await writeManifest(layout, parts, manifestAnnotations(plan, reference, parts)));
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
    await rm(join(folder, 'partial'), { recursive: true, force: true });
    const names = [reference, ...(plan.tags ?? []).map((tag) => withTag(reference, tag))];
    const roots = new Map(names.map((name) => [formatReference(name), namedRoot(descriptor, name)]));
    await layout.changeRoots(() => [...roots.values()]);
    const packaged = targets.map((parts, position) => summaryOf(parts, manifests[position] as Descriptor));
    return { reference: formatReference(reference), digest: descriptor.digest, manifests: packaged };
  });
}

function checkPlatforms(platforms: readonly Platform[], reference: string): void {
  const twice = platforms.find((platform, position) =>
    platforms.slice(0, position).some((earlier) => samePlatform(earlier, platform)),
  );
  if (twice === undefined) return;
  throw invalid(reference, `two targets are ${platformName(twice)} with the same KConfig, so none could be chosen`);
}

function manifestAnnotations(plan: PackagePlan, reference: Reference, parts: TargetParts): Record<string, string> {
  const version = parts.platform['os.version'];
  return {
    [annotationKeys.refName]: repositoryName(reference),
    [annotationKeys.created]: formatTime(plan.created ?? 0),
    [annotationKeys.containerdName]: formatReference(reference),
    [annotationKeys.imageName]: repositoryName(reference),
    ...(version === undefined ? {} : { [annotationKeys.kernelVersion]: version }),
    // kraft takes what has its version for a unikernel of its own.
    ...(parts.annotations ?? { [annotationKeys.kraftVersion]: plan.toolVersion }),
  };
}

/** RFC 3339 in whole seconds, UTC. */
function formatTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

function summaryOf({ platform, layers }: TargetParts, { digest }: Descriptor): PackagedManifest {
  return { digest, platform, size: layers.reduce((sum, layer) => sum + layer.descriptor.size, 0) };
}

function invalid(reference: string, message: string): OciFault {
  return new OciFault('PACKAGE_INVALID', message, {
    at: reference,
    hint: 'Correct the name, the time (SOURCE_DATE_EPOCH), or the choice among the targets of the Kraftfile.',
  });
}
