import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, beforeEach } from 'vitest';
import { type Kconfig, mergeKconfig, targetSymbols } from '../src/kconfig.ts';
import type { KernelPlan } from '../src/plan.ts';
import { describeToolchains } from '../src/toolchain.ts';

/** The core that the tests build with. */
export const core = process.env.NX_KRAFT_TEST_CORE ?? '';

export const makefile = `$(eval $(call addlib,appsample))
APPSAMPLE_SRCS-y += $(APPSAMPLE_BASE)/main.c
APPSAMPLE_SRCS-y += $(APPSAMPLE_BASE)/other.c
`;
export const main = '#include <stdio.h>\nint other(void);\nint main(void) { printf("one\\n"); return other(); }\n';

/** Folders of one file of tests. */
export interface Folders {
  /** Each test's own. */
  readonly test: string;
  /** For objects that are shared by all tests, so that the first build warms the others up. */
  readonly shared: string;
}

let toolchain = '';

/** Gives every test a folder, and all together one for shared objects. */
export function useFolders(): Folders {
  const folders = { test: '', shared: '' };
  beforeAll(async () => {
    folders.shared = await mkdtemp(join(tmpdir(), 'objects-'));
    process.env.NX_KRAFT_OBJECTS = folders.shared;
    toolchain = (await describeToolchains(['x86_64'])).get('x86_64') ?? '';
    return () => rm(folders.shared, { recursive: true, force: true });
  });
  beforeEach(async () => {
    folders.test = await mkdtemp(join(tmpdir(), 'kernel-'));
    return () => rm(folders.test, { recursive: true });
  });
  return folders;
}

/** Writes a small application of two sources. */
export async function makeApplication(application: string): Promise<string> {
  await mkdir(application, { recursive: true });
  await writeFile(join(application, 'Makefile.uk'), makefile);
  await writeFile(join(application, 'main.c'), main);
  await writeFile(join(application, 'other.c'), 'int other(void) { return 0; }\n');
  return application;
}

/** The plan of an application's kernel for qemu/x86_64. */
export function planOf(application: string, kconfig: Kconfig = {}): KernelPlan {
  const build = join(application, '.unikraft/build');
  return {
    architecture: 'x86_64',
    platform: 'qemu',
    core: { folder: core },
    application,
    toolchain,
    libraries: [],
    kconfig: mergeKconfig(kconfig, targetSymbols('x86_64', 'qemu')),
    workFolder: join(application, '.unikraft/work'),
    output: {
      kernel: join(build, 'k'),
      debugKernel: join(build, 'k.dbg'),
      config: join(build, 'k.config'),
      map: join(build, 'k.map'),
      sizes: join(build, 'k.sizes.json'),
    },
  };
}
