// Kernel builds against plain make on the same sources, in processor seconds of all children (user and system).
//   npx node tools/bench/kernel/bench.ts [FILES]
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type KernelPlan, buildKernel, describeToolchains, mergeKconfig, targetSymbols } from '@nx-kraft/kernel';

const files = Number(process.argv[2] ?? 150);
const core = resolve(import.meta.dirname, '../../test-kernel');
const folder = await mkdtemp(join(tmpdir(), 'bench-kernel-'));
// Nx asks for the tools' versions once for all tasks, before they start.
const toolchain = (await describeToolchains(['x86_64'])).get('x86_64') ?? '';
process.env.NX_KRAFT_OBJECTS = join(folder, 'shared');

/** A library of a realistic number of files, each with a header of its own and a few functions. */
async function makeLibrary(): Promise<string> {
  const library = join(folder, 'libmany');
  await mkdir(library);
  const names = Array.from({ length: files }, (_, index) => `file${index}`);
  for (const name of names) {
    const functions = Array.from(
      { length: 40 },
      (_, index) =>
        `int ${name}_${index}(int a, int b) { int s = 0; for (; a < b; a++) s += a * ${index} % 7; return s; }`,
    );
    await writeFile(join(library, `${name}.h`), `int ${name}_0(int a, int b);\n`);
    await writeFile(join(library, `${name}.c`), `#include <stdio.h>\n#include "${name}.h"\n${functions.join('\n')}\n`);
  }
  await writeFile(join(library, 'Config.uk'), 'config LIBMANY\n\tbool "many files"\n\tdefault y\n');
  const sources = names.map((name) => `LIBMANY_SRCS-y += $(LIBMANY_BASE)/${name}.c`);
  await writeFile(
    join(library, 'Makefile.uk'),
    `$(eval $(call addlib_s,libmany,$(CONFIG_LIBMANY)))\n${sources.join('\n')}\n`,
  );
  return library;
}

async function makeApplication(name: string): Promise<string> {
  const application = join(folder, name);
  await mkdir(application);
  await writeFile(
    join(application, 'Makefile.uk'),
    `$(eval $(call addlib,app${name}))\nAPP${name.toUpperCase()}_SRCS-y += $(APP${name.toUpperCase()}_BASE)/main.c\n`,
  );
  await writeFile(
    join(application, 'main.c'),
    `#include <stdio.h>\nint main(void) { printf("${name}\\n"); return 0; }\n`,
  );
  return application;
}

function plan(application: string, library: string, platform = 'qemu'): KernelPlan {
  return {
    architecture: 'x86_64',
    platform,
    core: { folder: core },
    toolchain,
    application,
    libraries: [{ name: 'many', folder: library }],
    kconfig: mergeKconfig({ CONFIG_LIBMANY: 'y' }, targetSymbols('x86_64', platform)),
    workFolder: join(application, '.unikraft', `work-${platform}`),
    output: {
      kernel: join(application, `.unikraft/k-${platform}`),
      debugKernel: join(application, `.unikraft/k-${platform}.dbg`),
      config: join(application, `.unikraft/k-${platform}.config`),
      map: join(application, `.unikraft/k-${platform}.map`),
      sizes: join(application, `.unikraft/k-${platform}.sizes.json`),
    },
  };
}

/** Processor time that this process and all its ended children have used, in seconds. */
async function processorSeconds(): Promise<number> {
  const fields = (await readFile('/proc/self/stat', 'utf8')).replace(/^.*\) /s, '').split(' ');
  const ticks = [11, 12, 13, 14].map((index) => Number(fields[index]));
  return ticks.reduce((sum, value) => sum + value, 0) / Number(execFileSync('getconf', ['CLK_TCK']));
}

async function measure(work: () => Promise<unknown>): Promise<number> {
  const before = await processorSeconds();
  await work();
  return (await processorSeconds()) - before;
}

function make(application: string, library: string, ...goals: readonly string[]): Promise<void> {
  const out = join(application, 'plain');
  const variables = [`A=${application}`, `L=${library}`, `O=${out}`, `C=${out}/.config`, 'N=unikernel'];
  execFileSync('make', ['-C', core, ...variables, `UK_DEFCONFIG=${join(folder, 'fragment')}`, ...goals], {
    stdio: 'ignore',
  });
  return Promise.resolve();
}

try {
  const library = await makeLibrary();
  const [one = '', two = '', plain = ''] = await Promise.all(['one', 'two', 'plain'].map(makeApplication));
  const symbols = { CONFIG_LIBMANY: 'y', ...targetSymbols('x86_64', 'qemu') };
  await writeFile(
    join(folder, 'fragment'),
    Object.entries(symbols)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  await mkdir(join(plain, 'plain'));
  const touch = (application: string) => utimes(join(application, 'main.c'), new Date(), new Date());

  const plainCold = await measure(async () => {
    await make(plain, library, 'defconfig');
    await make(plain, library, '-j2', 'all');
  });
  const cold = await measure(() => buildKernel(plan(one, library)));
  const second = await measure(() => buildKernel(plan(two, library)));
  const plainTouched = await measure(async () => {
    await touch(plain);
    await make(plain, library, '-j2', 'all');
  });
  const touched = await measure(async () => {
    await touch(one);
    await buildKernel(plan(one, library));
  });
  await rm(join(folder, 'shared'), { recursive: true });
  const many = await measure(async () => {
    for (let app = 0; app < 8; app++) {
      const application = await makeApplication(`many${app}`);
      for (const platform of ['qemu', 'fc']) await buildKernel(plan(application, library, platform));
    }
  });

  const row = (what: string, ours: number, peer: number, peerName: string, goal: number) =>
    `| ${what} | ${ours.toFixed(2)} | ${peer.toFixed(2)} (${peerName}) | ${(ours / peer).toFixed(2)} | ${goal} |`;
  process.stdout.write(
    [
      `| ${files} files in a library | ours, CPU s | peer, CPU s | ratio | goal |`,
      '| --- | --- | --- | --- | --- |',
      row('first build', cold, plainCold, 'plain make', 1.05),
      row('second app, same configuration', second, cold, 'our first build', 0.15),
      row('one touched file', touched, plainTouched, 'plain make', 1.2),
      row('8 apps × 2 targets', many, cold, 'our first build', 3),
      '',
    ].join('\n'),
  );
} finally {
  await rm(folder, { recursive: true });
}
