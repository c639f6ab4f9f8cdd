import type { Cloud } from '../cloud.ts';
import { ignoreMissing } from './deploy.ts';
import { lookAt } from './look.ts';

/** Removes all that was deployed under a name but for its volumes, and gives the names; none when there was nothing. */
export async function undeploy(
  cloud: Cloud,
  name: string,
  { dryRun = false }: { dryRun?: boolean } = {},
): Promise<readonly string[]> {
  const { service, instances } = await lookAt(cloud, name);
  const names = [
    ...instances.map((instance) => `instance ${instance.name}`),
    ...(service === undefined ? [] : [`service ${service.name}`]),
  ];
  if (dryRun) return names;
  if (instances.length > 0) await cloud.instances.remove(instances.map(({ uuid }) => uuid));
  // A service may go with its last instance.
  if (service !== undefined) await ignoreMissing(cloud.services.remove([service.uuid]));
  return names;
}
