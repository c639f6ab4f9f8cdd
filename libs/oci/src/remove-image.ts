import type { Digest } from './digest.ts';
import { formatReference, type Reference } from './reference.ts';
import { OciFault } from './fault.ts';
import type { RegistryClient } from './registry/client.ts';
import { Repository } from './registry/repository.ts';

/**
 * Removes an image from its registry, with all names that it has there.
 *
 * @returns its digest
 * @throws OciFault IMAGE_MISSING; RegistryFault, also where the registry allows no removal
 */
export async function removeImage(client: RegistryClient, reference: Reference): Promise<Digest> {
  const repository = new Repository(client, reference);
  const digest = await repository.digestOf(reference.digest ?? reference.tag ?? 'latest');
  if (digest === undefined) {
    throw new OciFault('IMAGE_MISSING', 'there is no such image', { at: formatReference(reference) });
  }
  await repository.remove(digest);
  return digest;
}
