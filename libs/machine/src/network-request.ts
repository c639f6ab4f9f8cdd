import type { Address } from './command-line.ts';
import { MachineFault } from './fault.ts';

/** A network that a machine is to be attached to. */
export interface NetworkRequest {
  readonly name: string;
  /** What its address is to be; what is missing is chosen. */
  readonly address: Partial<Address>;
  /** The hardware address of the interface. */
  readonly mac?: string;
}

/**
 * Reads `NAME[:ADDRESS[/PREFIX][:GATEWAY[:DNS0[:DNS1[:HOSTNAME[:DOMAIN]]]]]]`, as kraft writes it.
 *
 * @throws MachineFault MACHINE_BAD_NETWORK
 */
export function parseNetwork(text: string): NetworkRequest {
  const [name = '', cidr = '', gateway = '', dns0 = '', dns1 = '', hostname = '', domain = '', ...more] =
    text.split(':');
  if (name === '' || more.length > 0) {
    throw new MachineFault('MACHINE_BAD_NETWORK', `'${text}' names no network`, {
      hint: 'Write NAME[:ADDRESS[/PREFIX][:GATEWAY[:DNS0[:DNS1[:HOSTNAME[:DOMAIN]]]]]], for example web:172.30.0.9.',
    });
  }
  const nameservers = [dns0, dns1].filter((server) => server !== '');
  return {
    name,
    address: {
      ...(cidr === '' ? {} : { cidr }),
      ...(gateway === '' ? {} : { gateway }),
      ...(nameservers.length === 0 ? {} : { nameservers }),
      ...(hostname === '' ? {} : { hostname }),
      ...(domain === '' ? {} : { domain }),
    },
  };
}

/**
 * Checks a hardware address: six pairs of hexadecimal digits, and not that of a group.
 *
 * @throws MachineFault MACHINE_BAD_NETWORK
 */
export function parseMac(text: string): string {
  const mac = text.toLowerCase().replaceAll('-', ':');
  if (!/^[\da-f]{2}(:[\da-f]{2}){5}$/.test(mac)) {
    throw new MachineFault('MACHINE_BAD_NETWORK', `'${text}' is no hardware address`, {
      hint: 'For example 02:b0:b0:12:34:56.',
    });
  }
  if (Number.parseInt(mac.slice(0, 2), 16) % 2 === 0) return mac;
  throw new MachineFault('MACHINE_BAD_NETWORK', `${text} is the address of a group, which no interface can have`, {
    hint: 'Its first byte must be even, for example 02.',
  });
}
