import { expect, test } from 'vitest';
import { formatIpv4, overlap, parseCidr } from './ipv4.ts';

test('a range begins where its prefix says', () => {
  const parsed = parseCidr('172.17.255.9/20');
  expect(formatIpv4(parsed?.address ?? 0)).toBe('172.17.255.9');
  expect(formatIpv4(parsed?.subnet.base ?? 0)).toBe('172.17.240.0');
});

test.each(['172.17.0.1', '172.17.0.1/33', '300.1.1.1/8', '10.0.0.1/8/8', 'a/8', '::1/64'])('%s is no range', (text) => {
  expect(parseCidr(text)).toBe(undefined);
});

test.each([
  ['10.0.0.0/8', '10.200.0.0/16', true],
  ['10.0.0.0/9', '10.200.0.0/16', false],
  ['192.168.1.0/24', '192.168.1.128/25', true],
  ['192.168.1.0/24', '192.168.2.0/24', false],
])('%s and %s overlap: %s', (a, b, expected) => {
  const [one, other] = [parseCidr(a)?.subnet, parseCidr(b)?.subnet];
  if (one === undefined || other === undefined) throw new Error('no range');
  expect([overlap(one, other), overlap(other, one)]).toEqual([expected, expected]);
});
