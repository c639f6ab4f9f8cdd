import type { Kconfig } from '@nx-kraft/kernel/kconfig';
import { type KernelRun, initrdMount } from '@nx-kraft/machine/run';

/** An archive as a machine gets it, told to the kernel where it does not unpack it by itself. */
export function initrdOf(initrd: string, config: Kconfig): Pick<KernelRun, 'initrd' | 'mounts'> {
  return needsMount(config) ? { initrd, mounts: [initrdMount] } : { initrd };
}

/** Whether the root file system is part of the kernel. */
export function isEmbedded(config: Kconfig): boolean {
  return ['ROOTFS_EINITRD', 'AUTOMOUNT_EINITRD', 'AUTOMOUNT_CI_EINITRD'].some((option) => isSet(config, option));
}

/**
 * Whether the kernel must be told to unpack its initrd: it takes a table of file systems from its command line, and has none
 * compiled in that does so already. To unpack it twice would be to mount a second file system at `/`, which fails.
 */
function needsMount(config: Kconfig): boolean {
  const takesTable = isSet(config, 'FSTAB') || isSet(config, 'AUTOMOUNT_UP');
  return takesTable && !unpacksItself(config);
}

function unpacksItself(config: Kconfig): boolean {
  if (isSet(config, 'AUTOMOUNT_CI_INITRD') || isSet(config, 'ROOTFS_INITRD')) return true;
  return ['CI0', 'CI1', 'CI2', 'CI3'].some(
    (entry) =>
      value(config, `AUTOMOUNT_${entry}_DEV`) === 'initrd0' && value(config, `AUTOMOUNT_${entry}_DRIVER`) === 'extract',
  );
}

function isSet(config: Kconfig, option: string): boolean {
  return value(config, option) === 'y';
}

/** Facts: lib/vfscore/Config.uk, and automount.c for what becomes of the values. */
function value(config: Kconfig, option: string): string | undefined {
  return config[`CONFIG_LIBVFSCORE_${option}`];
}
