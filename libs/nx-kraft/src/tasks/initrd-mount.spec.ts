import { expect, test } from 'vitest';
import { parseConfig } from '@nx-kraft/kernel/kconfig';
import { initrdOf, isEmbedded } from './initrd-mount.ts';

function mountsOf(...options: readonly string[]): readonly string[] {
  const config = parseConfig(options.map((option) => `CONFIG_LIBVFSCORE_${option}`).join('\n'));
  return initrdOf('/files.cpio', config).mounts ?? [];
}

test('a kernel that takes its table from the command line is told to unpack, where nothing is mounted yet', () => {
  const mount = ['initrd0:/:extract::ramfs=2:'];
  expect(mountsOf('AUTOMOUNT_UP=y')).toEqual(mount);
  expect(mountsOf('FSTAB=y')).toEqual(mount);
  expect(mountsOf('AUTOMOUNT_UP=y', 'AUTOMOUNT_CI=y', 'AUTOMOUNT_CI_RAMFS=y')).toEqual(mount);
  expect(mountsOf('AUTOMOUNT_UP=y', 'AUTOMOUNT_FB=y', 'AUTOMOUNT_FB_INITRD=y')).toEqual(mount);
});

test('a kernel that unpacks it by itself is told nothing', () => {
  expect(mountsOf('AUTOMOUNT_UP=n')).toEqual([]);
  expect(mountsOf('AUTOMOUNT_UP=y', 'AUTOMOUNT_CI=y', 'AUTOMOUNT_CI_INITRD=y')).toEqual([]);
  expect(mountsOf('FSTAB=y', 'ROOTFS_INITRD=y')).toEqual([]);
  const entry = ['AUTOMOUNT_CI2_DEV="initrd0"', 'AUTOMOUNT_CI2_DRIVER="extract"'];
  expect(mountsOf('AUTOMOUNT_UP=y', ...entry)).toEqual([]);
  expect(mountsOf('AUTOMOUNT_UP=y', 'AUTOMOUNT_CI2_DEV="embedded"', 'AUTOMOUNT_CI2_DRIVER="extract"')).toHaveLength(1);
});

test('an embedded one is known by each of its names', () => {
  for (const name of ['ROOTFS_EINITRD', 'AUTOMOUNT_EINITRD', 'AUTOMOUNT_CI_EINITRD']) {
    expect(isEmbedded({ [`CONFIG_LIBVFSCORE_${name}`]: 'y' })).toBe(true);
  }
  expect(isEmbedded({ CONFIG_LIBVFSCORE_AUTOMOUNT_UP: 'y' })).toBe(false);
});
