import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export interface Guest {
  /** A kernel whose program does what its arguments say, see the README of the workspace's test kernel. */
  readonly kernel: string;
  /** An archive with the file `etc/motd`. */
  readonly initrd: string;
}

/**
 * Builds a guest below `folder`.
 *
 * @param monitor  a kernel for `fc` is one that QEMU boots by PVH instead of multiboot
 */
export async function buildGuest(folder: string, monitor: 'qemu' | 'fc' = 'qemu'): Promise<Guest> {
  const core = process.env.NX_KRAFT_TEST_CORE ?? '';
  const out = join(folder, `guest-${monitor}`);
  await mkdir(join(out, 'files/etc'), { recursive: true });
  const symbols = [
    ...[
      'ARCH_X86_64',
      'PLAT_KVM',
      monitor === 'qemu' ? 'KVM_VMM_QEMU' : 'KVM_VMM_FIRECRACKER',
      'LIBVFSCORE',
      'LIBRAMFS',
      'LIBVFSCORE_AUTOMOUNT_UP',
    ],
    'LIBPOSIX_ENVIRON_LIBPARAM',
    'LIBPOSIX_SOCKET',
    'LIB9PFS',
  ];
  await writeFile(join(out, 'fragment'), symbols.map((symbol) => `CONFIG_${symbol}=y\n`).join(''));
  const variables = [`A=${core}/probe`, `O=${out}`, `C=${out}/.config`, 'N=probe', `UK_DEFCONFIG=${out}/fragment`];
  for (const goal of ['defconfig', 'all']) await execute('make', ['-C', core, '-j2', ...variables, goal]);

  await writeFile(join(out, 'files/etc/motd'), 'good day\n');
  const initrd = join(out, 'files.cpio');
  const packing = execute('cpio', ['-o', '-H', 'newc', '-F', initrd], { cwd: join(out, 'files') });
  packing.child.stdin?.end('etc\netc/motd\n');
  await packing;
  return { kernel: join(out, `probe_${monitor}-x86_64`), initrd };
}
