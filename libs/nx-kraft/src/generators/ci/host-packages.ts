import { basename, dirname, join } from 'node:path';
import type { Tree } from '@nx/devkit';
import { readKraftfile } from '@nx-kraft/kraftfile';
import { findKraftfiles } from '../kraftprojects.ts';
import { plannedTargets } from '../../tasks/kraftproject.ts';

/** Debian packages that every build needs. */
const always = ['bison', 'flex', 'gcc', 'make', 'python3', 'qemu-system-x86'];

/** What an architecture needs on a machine that is x86_64. */
const foreign: Readonly<Record<string, readonly string[]>> = {
  arm64: ['gcc-aarch64-linux-gnu', 'qemu-system-arm'],
  arm: ['gcc-arm-linux-gnueabihf', 'qemu-system-arm'],
};

/** The Debian packages with which a machine of CI builds and boots all of the workspace's unikernels, sorted. */
export async function hostPackages(tree: Tree): Promise<readonly string[]> {
  const packages = new Set(always);
  for (const file of await findKraftfiles(tree)) {
    const directoryName = basename(dirname(join(tree.root, file)));
    const { kraftfile } = readKraftfile(tree.read(file, 'utf8') ?? '', { file, directoryName, env: process.env });
    if (kraftfile === undefined) continue;
    for (const { architecture } of plannedTargets(kraftfile)) {
      for (const name of foreign[architecture] ?? []) packages.add(name);
    }
    if ([kraftfile.rootfs, ...kraftfile.roms].some((image) => image?.format === 'erofs')) packages.add('erofs-utils');
  }
  return [...packages].toSorted();
}
