import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type KernelRun, type LinuxProgram, MachineFault } from '@nx-kraft/machine';
import { defaultRuntime } from './needs.ts';
import { planImage, readConfig } from './plan-image.ts';
import type { SubjectOptions } from './plan-subject.ts';
import { withRootfs } from './run-rootfs.ts';

/**
 * Plans a machine for a program of Linux: its runtime gets it as its initrd, as kraft does it, or in its root file system
 * where it looks for it there.
 *
 * @throws MachineFault MACHINE_NOT_A_KERNEL for one that needs libraries or goes with a root file system
 */
export async function planProgram(
  program: string,
  { needsLibraries }: LinuxProgram,
  { runtime = defaultRuntime, args = [], ...options }: SubjectOptions,
): Promise<KernelRun> {
  if (needsLibraries || options.rootfs !== undefined) {
    const why = needsLibraries
      ? 'needs libraries, which a runtime does not have'
      : 'takes the place of a root file system';
    throw new MachineFault('MACHINE_NOT_A_KERNEL', `this program of Linux ${why}`, {
      at: program,
      hint: `Link it with -static-pie, or run it out of a root file system: nx-kraft run ${runtime} --rootfs FOLDER /PROGRAM.`,
    });
  }
  const run = await planImage(runtime, { ...options, args });
  const { CONFIG_APPELFLOADER_VFSEXEC: looksForFiles } = await readConfig(run.kernel);
  if (looksForFiles !== 'y') return { ...run, initrd: program, mounts: [] };
  const name = basename(program);
  const folder = await mkdtemp(join(tmpdir(), 'nx-kraft-program-'));
  try {
    await copyFile(program, join(folder, name));
    return await withRootfs({ ...run, args: [`/${name}`, ...args] }, folder, options);
  } finally {
    await rm(folder, { recursive: true });
  }
}
