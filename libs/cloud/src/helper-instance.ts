import { randomBytes } from 'node:crypto';
import { connect as connectTls } from 'node:tls';
import type { Duplex } from 'node:stream';
import type { Cloud } from './cloud.ts';
import { ignoreMissing } from './deploy/deploy.ts';
import { checkSignal } from './deploy/health.ts';
import { CloudFault } from './fault.ts';
import type { VolumeRequest } from './instances.ts';

/** An instance that works for us for a while. */
export interface HelperRequest {
  readonly image: string;
  readonly args: readonly string[];
  /** MiB. */
  readonly memory: number;
  /** Ports that it listens on, reached by TLS. */
  readonly ports: readonly number[];
  readonly volumes?: readonly VolumeRequest[];
}

export interface Helper {
  readonly uuid: string;
  readonly name: string;
  /** Where its ports are reached. */
  readonly host: string;
}

/** Opens a connection by TLS; tests have ways of their own. */
export type Connect = (host: string, port: number) => Duplex;

export const connectByTls: Connect = (host, port) => connectTls({ host, port, servername: host });

/** Milliseconds until a helper must run. */
const startTime = 10_000;

/** What a helper knows us by: 32 characters that nobody else knows. */
export function newSecret(): string {
  return randomBytes(16).toString('hex');
}

/**
 * Starts an instance, lets it work, and removes it, however the work ends.
 *
 * @throws CloudFault CLOUD_REFUSED, CLOUD_STOPPED; and what the work throws
 */
export async function withHelper<T>(
  cloud: Cloud,
  { image, args, memory, ports, volumes }: HelperRequest,
  signal: AbortSignal | undefined,
  work: (helper: Helper) => Promise<T>,
): Promise<T> {
  checkSignal(signal);
  const [created] = await cloud.instances.create({
    image,
    args,
    memory_mb: memory,
    service_group: { services: ports.map((port) => ({ port, destination_port: port, handlers: ['tls'] })) },
    ...(volumes === undefined ? {} : { volumes }),
    autostart: true,
    // It goes by itself, should we not be there to remove it.
    features: ['delete-on-stop'],
  });
  if (created === undefined) throw noHelper(image, 'the API created nothing');
  try {
    await cloud.instances.wait([created.uuid], 'running', startTime);
    checkSignal(signal);
    const host = created.service_group?.domains?.[0]?.fqdn;
    if (typeof host !== 'string') throw noHelper(image, 'it has no address');
    return await work({ uuid: created.uuid, name: created.name, host: host.replace(/\.$/, '') });
  } finally {
    await ignoreMissing(cloud.instances.remove([created.uuid]));
  }
}

function noHelper(image: string, why: string): CloudFault {
  return new CloudFault('CLOUD_REFUSED', `no instance of ${image} could be started: ${why}`);
}
