import type { LockNeeds, PlacedRequest } from '@nx-kraft/components';
import { componentKey } from '@nx-kraft/components/request';
import { isRemoteSource } from '@nx-kraft/components/url';
import type { Kraftfile } from '@nx-kraft/kraftfile';
import { formatReference, parseReference } from '@nx-kraft/oci/reference';

/** What runs programs of Linux unless another image is named, as with kraft. */
export const defaultRuntime = 'unikraft.org/base:latest';

/** The components that a Kraftfile names, each with the folder that its relative source is relative to. */
export function componentNeeds({ unikraft, libraries, template }: Kraftfile, folder: string): LockNeeds['components'] {
  const requests: PlacedRequest['request'][] = [
    ...(unikraft === undefined ? [] : [{ type: 'core' as const, ...unikraft }]),
    ...(template === undefined ? [] : [{ type: 'template' as const, ...template }]),
    ...libraries.map((library) => ({ type: 'library' as const, ...library })),
  ];
  return requests.map((request) => ({ request, baseDirectory: folder }));
}

/** A component of a Kraftfile as the graph of tasks needs it: small, plain JSON. */
export interface NamedComponent {
  /** As `kraft.lock` has it, such as `lib/musl@stable`. */
  readonly key: string;
  /** Whether the Kraftfile says where or which one it is; if it does not, its template may. */
  readonly isPlaced: boolean;
  /** The folder or archive that it is, as written; absent for a remote one. */
  readonly folder?: string;
}

/** The components that a Kraftfile itself names. */
export function namedComponents(kraftfile: Kraftfile): readonly NamedComponent[] {
  return componentNeeds(kraftfile, '').map(({ request }) => {
    const { source, version } = request;
    return {
      key: componentKey(request),
      isPlaced: source !== undefined || version !== undefined,
      ...(source === undefined || isRemoteSource(source) ? {} : { folder: source }),
    };
  });
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
