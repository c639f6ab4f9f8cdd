import { expect, test } from 'vitest';
import { describeRootfs, formatBytes, memoryHint, type Rootfs } from './index.ts';

const rootfs: Rootfs = {
  path: '/w/rootfs.cpio',
  format: 'cpio',
  digest: 'sha256:abc',
  size: 50 * 2 ** 20,
  entries: 3,
  largest: [
    { name: 'bin/app', size: 49 * 2 ** 20 },
    { name: 'etc/conf', size: 12 },
  ],
  kind: 'dockerfile',
  warnings: ['dev/null is a character device: it was left out.'],
  builder: 'docker',
  passedOver: [{ builder: 'embedded', reason: 'Dockerfile:2 runs a command' }],
};

test('a summary tells builder, size, largest files and warnings', () => {
  expect(describeRootfs(rootfs, 64 * 2 ** 20)).toEqual([
    'built with docker',
    '  not with embedded: Dockerfile:2 runs a command',
    '/w/rootfs.cpio: cpio, 3 entries, 50.0 MiB, sha256:abc',
    'largest files:',
    '  49.0 MiB  bin/app',
    '  12 bytes  etc/conf',
    'warning: dev/null is a character device: it was left out.',
    'warning: the machine has 64.0 MiB of memory, but this root file system needs 116.0 MiB or more: give it more, make the root file system smaller, or use "format: erofs".',
  ]);
});

test('memory that suffices, or is not known, is no matter', () => {
  expect(memoryHint(rootfs, 116 * 2 ** 20)).toBeUndefined();
  expect(memoryHint(rootfs, undefined)).toBeUndefined();
  expect(memoryHint({ ...rootfs, format: 'erofs' }, 67 * 2 ** 20)).toBeUndefined();
});

test('sizes are short', () => {
  expect([0, 999, 1000, 1024 * 1000, 3 * 2 ** 30].map(formatBytes)).toEqual([
    '0 bytes',
    '999 bytes',
    '1.0 KiB',
    '1.0 MiB',
    '3.0 GiB',
  ]);
});
