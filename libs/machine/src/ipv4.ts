import { isIPv4 } from 'node:net';

/** A range of IPv4 addresses. */
export interface Subnet {
  /** Its first address as a number. */
  readonly base: number;
  readonly prefix: number;
}

/** An address as a number; undefined for a text that is none. */
export function parseAddress(text: string): number | undefined {
  if (!isIPv4(text)) return undefined;
  return text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
}

/** Reads `address/prefix`; undefined for another form. */
export function parseCidr(text: string): { readonly address: number; readonly subnet: Subnet } | undefined {
  const [host = '', length = '', ...more] = text.split('/');
  const address = parseAddress(host);
  const prefix = /^\d+$/.test(length) ? Number(length) : NaN;
  if (address === undefined || !(prefix >= 1 && prefix <= 30) || more.length > 0) return undefined;
  return { address, subnet: { base: address - (address % subnetSize(prefix)), prefix } };
}

export function subnetSize(prefix: number): number {
  return 2 ** (32 - prefix);
}

export function overlap(a: Subnet, b: Subnet): boolean {
  return a.base < b.base + subnetSize(b.prefix) && b.base < a.base + subnetSize(a.prefix);
}
