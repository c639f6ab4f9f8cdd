import { expect, test } from 'vitest';
import { parseMemory, toMebibytes } from './memory.ts';
import { formatPort, parsePorts } from './ports.ts';
import { formatMount, parseVolume, tagVolumes } from './volumes.ts';

test.each([
  ['64Mi', 64 * 1024 ** 2],
  ['1G', 1e9],
  ['1.5Gi', 1.5 * 1024 ** 3],
  ['2097152', 2097152],
])('memory of %s is %d bytes', (text, bytes) => {
  expect(parseMemory(text)).toBe(bytes);
});

test.each(['64', '1Ki', '64MB', '', '-1Gi', '64 Mi'])("memory of '%s' is refused", (text) => {
  expect(() => parseMemory(text)).toThrow(expect.objectContaining({ code: 'MACHINE_BAD_MEMORY' }));
});

test('memory is never less than asked', () => {
  expect(toMebibytes(parseMemory('64M'))).toBe(62);
});

test('ports have an address, a range and a protocol', () => {
  expect(parsePorts('8080:80').map(formatPort)).toEqual(['0.0.0.0:8080:80/tcp']);
  expect(parsePorts('127.0.0.1:53-54:1053-1054/udp').map(formatPort)).toEqual([
    '127.0.0.1:53:1053/udp',
    '127.0.0.1:54:1054/udp',
  ]);
  expect(parsePorts('0:80')).toMatchObject([{ hostPort: 0, guestPort: 80 }]);
});

test.each([
  ['80', 'not of the form'],
  ['1:0', 'numbers from 1'],
  ['70000:80', 'to 65535'],
  ['1-3:1-2', 'differ in length'],
  ['3-1:3-1', 'ends before it begins'],
  ['8080:80/sctp', 'tcp or udp'],
  ['localhost:8080:80', 'no IPv4 address'],
])("the port '%s' is refused", (text, message) => {
  expect(() => parsePorts(text)).toThrow(message);
});

test('volumes are folders relative to the project, tagged in their order', () => {
  const volumes = [parseVolume('./data:/data', '/app'), parseVolume('/srv:/srv:ro', '/app')];
  expect(tagVolumes(volumes).map(formatMount)).toEqual(['fs1:/data:9pfs:::mkmp', 'fs2:/srv:9pfs:0x1::mkmp']);
  expect(volumes[0]).toEqual({ source: '/app/data', destination: '/data', driver: '9pfs', readOnly: false });
});

test.each(['./data', './data:data', ':/data', 'a:/b:rx', 'a:/b:ro:x'])("the volume '%s' is refused", (text) => {
  expect(() => parseVolume(text, '/app')).toThrow(expect.objectContaining({ code: 'MACHINE_BAD_VOLUME' }));
});
