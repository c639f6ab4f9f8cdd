import { expect, test } from 'vitest';
import { parseMac, parseNetwork } from './network-request.ts';
import { parseMemory, toMebibytes } from './memory.ts';
import { formatPort, parsePorts } from './ports.ts';
import { formatMount, parseVolume, splitInitrd, tagVolumes } from './volumes.ts';

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

test('a volume has a driver, and one archive can be the initrd', () => {
  expect(parseVolume('disk.img:/disk:block,ro', '/app')).toMatchObject({ driver: 'block', readOnly: true });
  expect(parseVolume('./shared:/s:virtiofs', '/app')).toMatchObject({ driver: 'virtiofs', readOnly: false });
  const archive = parseVolume(`${import.meta.filename}:/files:initrd`, '/');
  const data = parseVolume('./data:/data', '/app');
  expect(splitInitrd([data, archive], undefined)).toEqual({
    initrd: import.meta.filename,
    mounts: ['initrd0:/files:extract:::mkmp'],
    volumes: [data],
  });
  expect(splitInitrd([data], '/rootfs.cpio')).toEqual({ initrd: '/rootfs.cpio', mounts: [], volumes: [data] });
  expect(() => splitInitrd([archive], '/rootfs.cpio')).toThrow('would be a second initrd');
  expect(() => splitInitrd([parseVolume('/none:/:initrd', '/')], undefined)).toThrow('there is no file /none');
});

test('networks are written as kraft writes them', () => {
  expect(parseNetwork('lab')).toEqual({ name: 'lab', address: {} });
  expect(parseNetwork('lab:172.30.0.9/16:172.30.0.1:8.8.8.8::web:local')).toEqual({
    name: 'lab',
    address: {
      cidr: '172.30.0.9/16',
      gateway: '172.30.0.1',
      nameservers: ['8.8.8.8'],
      hostname: 'web',
      domain: 'local',
    },
  });
  expect(parseMac('02-B0-B0-00-00-0A')).toBe('02:b0:b0:00:00:0a');
});

test.each([
  ['a network without a name', () => parseNetwork(':1.2.3.4'), 'names no network'],
  ['a network with too much', () => parseNetwork('a:b:c:d:e:f:g:h'), 'names no network'],
  ['a hardware address', () => parseMac('02:b0:b0:00:00'), 'no hardware address'],
  ['the address of a group', () => parseMac('01:b0:b0:00:00:01'), 'address of a group'],
])('%s is refused', (_, read, message) => {
  expect(read).toThrow(
    expect.objectContaining({ code: 'MACHINE_BAD_NETWORK', message: expect.stringContaining(message) as unknown }),
  );
});

test.each(['./data', './data:data', ':/data', 'a:/b:rx', 'a:/b:ro:x'])("the volume '%s' is refused", (text) => {
  expect(() => parseVolume(text, '/app')).toThrow(expect.objectContaining({ code: 'MACHINE_BAD_VOLUME' }));
});
