import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@nx-kraft/base';
import { ImageStore, packageImage } from '@nx-kraft/oci';

/** The options that the real runtimes are built with, as far as the test kernel has them. */
const options = [
  'LIBVFSCORE',
  'LIBRAMFS',
  'LIBVFSCORE_AUTOMOUNT_UP',
  'LIBPOSIX_ENVIRON',
  'LIBPOSIX_ENVIRON_LIBPARAM',
  'LIB9PFS',
];

/**
 * Images that stand in for runtimes which a test cannot have without a network. They run no program: the test kernel
 * tells the arguments, the environment and the files that it gets.
 */
export class StandIn {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Builds the kernels for QEMU and Firecracker. */
  static async build(): Promise<StandIn> {
    const folder = await mkdtemp(join(tmpdir(), 'stand-in-'));
    const core = process.env.NX_KRAFT_TEST_CORE ?? '';
    for (const [platform, monitor] of [
      ['qemu', 'QEMU'],
      ['fc', 'FIRECRACKER'],
    ] as const) {
      const out = join(folder, platform);
      const fragment = join(folder, `${platform}.config`);
      const symbols = ['ARCH_X86_64', 'PLAT_KVM', `KVM_VMM_${monitor}`, ...options];
      await writeFile(fragment, symbols.map((symbol) => `CONFIG_${symbol}=y\n`).join(''));
      const variables = [`A=${core}/stand-in`, `O=${out}`, `C=${out}.made`, 'N=kernel', `UK_DEFCONFIG=${fragment}`];
      for (const goal of ['defconfig', 'all']) await run('make', ['-C', core, '-j2', ...variables, goal]);
    }
    return new StandIn(folder);
  }

  /**
   * Puts an image with the stand-in's kernels into a store of images, where tasks look before they ask a registry.
   *
   * @param reference  the runtime that it stands in for
   * @param cmd  that image's own command
   */
  async provide(reference: string, store: string, cmd: readonly string[] = []): Promise<void> {
    const kconfig = {
      ...Object.fromEntries(options.map((option) => [`CONFIG_${option}`, 'y'])),
      // The real ones have their own files in the kernel.
      CONFIG_LIBVFSCORE_AUTOMOUNT_CI_EINITRD: 'y',
    };
    const layout = join(this.#folder, 'image');
    const targets = ['qemu', 'fc'].map((platform) => ({
      platform,
      architecture: 'x86_64',
      kernel: join(this.#folder, platform, `kernel_${platform}-x86_64`),
      kconfig,
      command: cmd,
    }));
    await packageImage({ reference, toolVersion: 'test', targets }, layout);
    await (await ImageStore.open(store)).addLayout(layout);
    await rm(layout, { recursive: true });
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }
}

/** The line in which the stand-in tells a file of the guest that has the content of a file here. */
export async function fileLine(guestPath: string, file: string): Promise<string> {
  const bytes = await readFile(file);
  let digest = 2_166_136_261;
  for (const byte of bytes) digest = Math.imul(digest ^ byte, 16_777_619) >>> 0;
  return `file ${guestPath}: ${bytes.length} bytes, fnv ${digest.toString(16)}`;
}
