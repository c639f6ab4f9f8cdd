import type { Cloud } from '../cloud.ts';
import { CloudFault } from '../fault.ts';
import type { CloudInstance } from '../shapes.ts';
import { ignoreMissing } from './deploy.ts';
import { checkSignal, waitUntilHealthy } from './health.ts';
import { isUp, lookAt, type Seen, urlsOf, versionOf } from './look.ts';

export interface RollbackOptions {
  /** The version to go back to; default: the newest of those before the one that serves. */
  readonly version?: number | undefined;
  /** Seconds until its instances must run. */
  readonly timeout: number;
  /** Seconds that they must run before the others stop. */
  readonly rolloutWait: number;
  readonly signal?: AbortSignal | undefined;
  readonly onStep?: (text: string) => void;
}

export interface RolledBack {
  readonly name: string;
  readonly from: number;
  readonly version: number;
  readonly instances: readonly string[];
  readonly image: string;
  readonly urls: readonly string[];
}

/**
 * Starts an earlier version again, as it was, and stops the one that serves when it runs. When it does not, it is stopped
 * again and nothing has changed.
 *
 * @throws CloudFault CLOUD_NOT_DEPLOYED, CLOUD_NO_PREVIOUS, CLOUD_UNHEALTHY, CLOUD_STOPPED
 */
export async function rollBack(cloud: Cloud, name: string, options: RollbackOptions): Promise<RolledBack> {
  const { signal, onStep = () => undefined } = options;
  const seen = await lookAt(cloud, name);
  const { from, version, instances } = choose(cloud, seen, options.version);
  const ids = instances.map(({ uuid }) => uuid);
  checkSignal(signal);
  for (const instance of instances) onStep(`starting ${instance.name}`);
  await cloud.instances.start(ids);
  try {
    await waitUntilHealthy(cloud, ids, {
      timeout: options.timeout,
      settle: options.rolloutWait,
      restarts: new Map(instances.map(({ uuid, restart_count }) => [uuid, restart_count ?? 0])),
      signal,
      onState: (instance) => onStep(`${instance.name} is ${instance.state}`),
    });
  } catch (error) {
    onStep('taking back what was started');
    await cloud.instances.stop(ids);
    throw error;
  }
  const others = seen.instances.filter((instance) => isUp(instance) && !ids.includes(instance.uuid));
  for (const other of others) onStep(`stopping ${other.name}`);
  if (others.length > 0) await ignoreMissing(cloud.instances.stop(others.map(({ uuid }) => uuid)));
  return {
    name,
    from,
    version,
    instances: instances.map((instance) => instance.name),
    image: instances[0]?.image ?? '',
    urls: urlsOf(seen.service),
  };
}

function choose(
  cloud: Cloud,
  { name, instances }: Seen,
  wanted: number | undefined,
): { from: number; version: number; instances: readonly CloudInstance[] } {
  const [newest] = instances;
  if (newest === undefined) throw notDeployed(cloud, name);
  const from = versionOf(name, instances.find(isUp) ?? newest);
  const stopped = instances.filter((instance) => !isUp(instance) && versionOf(name, instance) > 0);
  const versions = [...new Set(stopped.map((instance) => versionOf(name, instance)))];
  const version = wanted ?? versions.find((each) => each < from);
  if (version === undefined || !versions.includes(version)) {
    throw new CloudFault(
      'CLOUD_NO_PREVIOUS',
      version === undefined
        ? `${name} has no version before v${from}`
        : `${name} has no version v${version} that waits`,
      {
        hint: `Versions that wait: ${versions.map((each) => `v${each}`).join(', ') || 'none'}. Deploy an older commit instead.`,
      },
    );
  }
  return { from, version, instances: stopped.filter((instance) => versionOf(name, instance) === version) };
}

/** The fault for a name under which nothing is deployed. */
export function notDeployed(cloud: Cloud, name: string): CloudFault {
  return new CloudFault('CLOUD_NOT_DEPLOYED', `${name} is not deployed in ${cloud.api.metro.name}`, {
    hint: 'Deploy it first, or choose the metro where it is.',
  });
}
