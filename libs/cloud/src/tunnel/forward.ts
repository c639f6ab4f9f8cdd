import { isIP } from 'node:net';
import type { Cloud } from '../cloud.ts';
import { CloudFault } from '../fault.ts';

/** A port of this machine, and the port of an instance that it stands for. */
export interface Forward {
  readonly local: number;
  /** A name, a UUID, or a private address or domain of an instance. */
  readonly target: string;
  readonly port: number;
}

/**
 * Reads `[LOCAL:]TARGET:PORT[/tcp]`, as `kraft cloud tunnel` has it.
 *
 * @throws CloudFault CLOUD_BAD_INPUT
 */
export function parseForward(text: string): Forward {
  const [, local, target = '', port = '', type = 'tcp'] =
    /^(?:(\d+):)?([^:/]*[^:/\d][^:/]*):(\d+)(?:\/(\w+))?$/.exec(text) ?? [];
  if (type.toLowerCase() !== 'tcp') throw badForward(text, 'a tunnel carries TCP only');
  const forward = { local: Number(local ?? port), target, port: Number(port) };
  if (target === '') throw badForward(text, 'it is not [LOCAL:]INSTANCE:PORT');
  if ([forward.local, forward.port].some((number) => number < 1 || number > 65_535)) {
    throw badForward(text, 'ports are 1 to 65535');
  }
  return forward;
}

/**
 * The private addresses of what is forwarded to, in the same order.
 *
 * @throws CloudFault CLOUD_REFUSED for an instance that is not there, CLOUD_BAD_INPUT for one without an address
 */
export async function privateAddresses(cloud: Cloud, forwards: readonly Forward[]): Promise<readonly string[]> {
  const isAddress = (target: string): boolean => isIP(target) !== 0 || target.endsWith('.internal');
  const names = [...new Set(forwards.map(({ target }) => target).filter((target) => !isAddress(target)))];
  const found = names.length === 0 ? [] : await cloud.instances.list(names);
  return forwards.map(({ target }) => {
    if (isAddress(target)) return target;
    const address = found.find(({ name, uuid }) => name === target || uuid === target)?.private_ip;
    if (typeof address === 'string' && address !== '') return address;
    throw new CloudFault('CLOUD_BAD_INPUT', `${target} has no private address`, {
      hint: 'nx-kraft cloud instance list shows whether it runs.',
    });
  });
}

function badForward(text: string, why: string): CloudFault {
  return new CloudFault('CLOUD_BAD_INPUT', `'${text}' cannot be forwarded: ${why}`, {
    hint: 'Examples: 8080:web:80, web:80, 172.16.0.2:5432',
  });
}
