import { type LockNeeds, type PlacedRequest, componentKey, lockField } from '@nx-kraft/components';
import type { Kraftfile } from '@nx-kraft/kraftfile';
import { formatReference, parseReference } from '@nx-kraft/oci';
import { isRemote } from './remote.ts';

/** The components that a Kraftfile names, each with the folder that its relative source is relative to. */
export function componentNeeds({ unikraft, libraries, template }: Kraftfile, folder: string): LockNeeds['components'] {
  const requests: PlacedRequest['request'][] = [
    ...(unikraft === undefined ? [] : [{ type: 'core' as const, ...unikraft }]),
    ...(template === undefined ? [] : [{ type: 'template' as const, ...template }]),
    ...libraries.map((library) => ({ type: 'library' as const, ...library })),
  ];
  return requests.map((request) => ({ request, baseDirectory: folder }));
}

/** The fields of the lock file that a Kraftfile's components have, but for local folders, which have none. */
export function componentFields(kraftfile: Kraftfile): readonly string[] {
  return componentNeeds(kraftfile, '')
    .filter(({ request: { source } }) => source === undefined || isRemote(source))
    .map(({ request }) => `components.${lockField(componentKey(request))}`);
}

/** The fields of the lock file that images have, by their names in full; one that is named by its digest needs none. */
export function imageFields(names: readonly string[]): readonly string[] {
  return names.filter((name) => !name.includes('@')).map((name) => `images.${lockField(name)}`);
}

/** A runtime's name in full; short ones are Unikraft's. */
export function runtimeImageName(reference: string): string {
  return formatReference(parseReference(reference));
}

/** A base image's name in full; short ones are Docker's. */
export function baseImageName(reference: string): string {
  return formatReference(parseReference(reference, 'docker.io'));
}

/** A base image by its digest alone: not all builders take a tag beside one. */
export function lockedImageName(reference: string, digest: string): string {
  const { registry, repository } = parseReference(reference, 'docker.io');
  return `${formatReference({ registry, repository })}@${digest}`;
}
