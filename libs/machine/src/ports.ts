import { isIPv4 } from 'node:net';
import { MachineFault } from './fault.ts';

/** A port of the host that leads to a port of the guest. */
export interface Port {
  /** The host's address to listen on. */
  readonly hostAddress: string;
  /** 0 for any port that is free. */
  readonly hostPort: number;
  readonly guestPort: number;
  readonly protocol: 'tcp' | 'udp';
}

/**
 * Reads ports as `[address:]hostPort:guestPort[/tcp|udp]`, as Docker and kraft write them. Two ranges of the same
 * length (`8080-8082:80-82`) are that many ports; a host port of 0 is any free one.
 *
 * @throws MachineFault MACHINE_BAD_PORT
 */
export function parsePorts(text: string): readonly Port[] {
  const match = /^(?:([^:/]+):)?(\d+(?:-\d+)?):(\d+(?:-\d+)?)(?:\/(\w+))?$/.exec(text);
  if (match === null) throw badPort(text, 'it is not of the form [address:]hostPort:guestPort[/protocol]');
  const [, hostAddress = '0.0.0.0', hostRange = '', guestRange = '', protocol = 'tcp'] = match;
  if (!isIPv4(hostAddress)) throw badPort(text, `${hostAddress} is no IPv4 address`);
  if (protocol !== 'tcp' && protocol !== 'udp') throw badPort(text, `the protocol is tcp or udp, not ${protocol}`);
  const hostPorts = parseRange(text, hostRange, 0);
  const guestPorts = parseRange(text, guestRange, 1);
  if (hostPorts.length !== guestPorts.length) throw badPort(text, 'the two ranges differ in length');
  return hostPorts.map((hostPort, index) => ({
    hostAddress,
    hostPort,
    guestPort: guestPorts[index] ?? 0,
    protocol,
  }));
}

function parseRange(text: string, range: string, least: number): readonly number[] {
  const [first = 0, last = first] = range.split('-').map(Number);
  if (first < least || last > 65535) throw badPort(text, `ports are numbers from ${least} to 65535`);
  if (last < first) throw badPort(text, `the range ${range} ends before it begins`);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function badPort(text: string, why: string): MachineFault {
  return new MachineFault('MACHINE_BAD_PORT', `cannot use the port '${text}': ${why}`, {
    hint: 'For example 8080:80, or 127.0.0.1:5353:53/udp.',
  });
}

/** The port as {@link parsePorts} reads it. */
export function formatPort({ hostAddress, hostPort, guestPort, protocol }: Port): string {
  return `${hostAddress}:${hostPort}:${guestPort}/${protocol}`;
}
