import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

const execute = promisify(execFile);
const core = import.meta.dirname;
const options = {
  ARCH_X86_64: 'y',
  PLAT_KVM: 'y',
  KVM_VMM_QEMU: 'y',
  LIBVFSCORE: 'y',
  LIBRAMFS: 'y',
  LIBVFSCORE_AUTOMOUNT_CI: 'y',
  LIBVFSCORE_AUTOMOUNT_CI_INITRD: 'y',
  LIBPOSIX_ENVIRON_LIBPARAM: 'y',
  LIBUKLIBID_INFO_COMPILEDATE: 'n',
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'test-kernel-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Build {
  readonly name: string;
  readonly application?: string;
  readonly libraries?: readonly string[];
  readonly options?: Readonly<Record<string, string>>;
}

async function make({ name, application, libraries = [] }: Build, ...goals: string[]): Promise<string> {
  const out = join(folder, name);
  await mkdir(out, { recursive: true });
  const variables = [
    `A=${application ?? join(core, 'probe')}`,
    `L=${libraries.join(':')}`,
    `O=${out}`,
    `C=${join(out, '.config')}`,
    `N=${name}`,
    `UK_DEFCONFIG=${join(out, 'fragment')}`,
  ];
  const running = execute('make', ['-C', core, '-j2', ...variables, ...goals]);
  running.child.stdin?.end();
  return (await running).stdout;
}

async function configure(build: Build): Promise<string> {
  const out = join(folder, build.name);
  await mkdir(out, { recursive: true });
  const lines = Object.entries({ ...options, ...build.options }).map(([symbol, value]) => `CONFIG_${symbol}=${value}`);
  await writeFile(join(out, 'fragment'), `${lines.join('\n')}\n`);
  await make(build, 'defconfig');
  return readFile(join(out, '.config'), 'utf8');
}

async function build(which: Build): Promise<string> {
  await configure(which);
  await make(which);
  return join(folder, which.name, `${which.name}_qemu-x86_64`);
}

async function boot(kernel: string, append: string, initrd?: string): Promise<string> {
  const args = ['-accel', 'tcg', '-m', '32', '-nographic', '-nodefaults', '-serial', 'stdio', '-no-reboot'];
  const disk = initrd === undefined ? [] : ['-initrd', initrd];
  const { stdout } = await execute('qemu-system-x86_64', [...args, '-kernel', kernel, ...disk, '-append', append], {
    timeout: 60_000,
  });
  return stdout.replaceAll('\r', '').split('Booting from ROM..').pop() ?? '';
}

async function archive(name: string, entries: readonly string[]): Promise<string> {
  const path = join(folder, name);
  const packing = execute('cpio', ['-o', '-H', 'newc', '-F', path], { cwd: join(folder, 'files') });
  packing.child.stdin?.end(`${entries.join('\n')}\n`);
  await packing;
  return path;
}

describe('a booted kernel', () => {
  let kernel: string;
  let initrd: string;
  beforeAll(async () => {
    kernel = await build({ name: 'probe' });
    await mkdir(join(folder, 'files/etc'), { recursive: true });
    await writeFile(join(folder, 'files/etc/motd'), 'good day\n');
    await execute('ln', ['-s', '../etc/motd', join(folder, 'files/etc/link')]);
    initrd = await archive('good.cpio', ['etc', 'etc/motd', 'etc/link']);
  });

  test('prints its banner, takes its parameters and gives the rest to main', async () => {
    const output = await boot(
      kernel,
      String.raw`env.vars=[ "A=1 2" B=3 ] -- environment arguments "a b" c\ d '\x"'`,
      initrd,
    );
    expect(output).toContain('Powered by the test kernel');
    expect(output).toContain('env <A=1 2>\nenv <B=3>\n');
    expect(output).toContain(`argv[0]=<${kernel}>`);
    expect(output).toContain('argv[3]=<a b>\nargv[4]=<c d>\nargv[5]=<\\x">\n');
  });

  test('reads files, folders and links of its initial RAM disk', async () => {
    const output = await boot(kernel, 'list / list /etc cat etc/link cat nothing', initrd);
    expect(output).toContain('etc/\nmotd\nlink\ngood day\nnothing: No such file or directory\n');
  });

  test.each([
    ['a folder that comes too late', ['etc/motd', 'etc'], 'No such directory'],
    ['no archive', undefined, 'there is no initial RAM disk'],
  ])('stops at %s', async (_, entries, message) => {
    const output = await boot(kernel, 'arguments', entries && (await archive('bad.cpio', entries)));
    expect(output).toContain(message);
    expect(output).not.toContain('argv[0]');
  });

  test.each([
    ['fault', 'Unhandled Trap 14 (page fault), error code=0x2'],
    ['divide', 'Unhandled Trap 0 (divide error), error code=0x0'],
    ['abort', 'Abnormal termination!'],
  ])('tells a crash by %s', async (word, message) => {
    expect(await boot(kernel, word, initrd)).toContain(message);
  });
});

describe('the make contract', () => {
  test('takes options that can be had, drops the others, and leaves an equal .config alone', async () => {
    const which = { name: 'options', options: { NO_SUCH: 'y', LIBVFSCORE: 'n', UK_NAME: '"a \\"b\\""' } };
    const config = await configure(which);
    expect(config).toContain('CONFIG_PLAT_KVM=y\nCONFIG_KVM_VMM_QEMU=y\n# CONFIG_KVM_VMM_FIRECRACKER is not set\n');
    expect(config).toContain('CONFIG_UK_NAME="a \\"b\\""\n');
    expect(config).not.toMatch(/NO_SUCH|AUTOMOUNT/);
    const before = await stat(join(folder, 'options/.config'));
    await configure(which);
    expect((await stat(join(folder, 'options/.config'))).mtimeMs).toBe(before.mtimeMs);
  });

  test('compiles again what a change touches and nothing else', async () => {
    const application = join(folder, 'app');
    const which = { name: 'steps', application };
    await mkdir(application);
    await writeFile(
      join(application, 'Makefile.uk'),
      '$(eval $(call addlib,appx))\nAPPX_SRCS-y += $(APPX_BASE)/main.c\n',
    );
    await writeFile(join(application, 'words.h'), '#define WORD "one"\n');
    await writeFile(
      join(application, 'main.c'),
      '#include <stdio.h>\n#include "words.h"\nint main(void) { return puts(WORD) < 0; }\n',
    );
    await build(which);
    const steps = (output: string) => output.split('\n').filter((line) => line.startsWith('  '));
    expect(steps(await make(which))).toEqual([]);

    await writeFile(join(application, 'words.h'), '#define WORD "two"\n');
    expect(steps(await make(which))).toEqual([
      '  CC      appx: main.o',
      '  LD      appx: appx.o',
      '  LD      steps_qemu-x86_64.dbg',
      '  SCSTRIP steps_qemu-x86_64',
    ]);

    await configure({ ...which, options: { LIBUKBOOT_MAXNBARGS: '10' } });
    expect(steps(await make(which))).toContain('  CC      libukboot: boot.o');
  });

  test('builds libraries with options of their own', async () => {
    const library = join(folder, 'lib');
    const application = join(folder, 'with-lib');
    await mkdir(join(library, 'include'), { recursive: true });
    await mkdir(application);
    await writeFile(join(library, 'Config.uk'), 'config LIBWORD\n\tbool "word"\n\tdefault n\n');
    await writeFile(
      join(library, 'Makefile.uk'),
      `$(eval $(call addlib_s,libword,$(CONFIG_LIBWORD)))
CINCLUDES-$(CONFIG_LIBWORD) += -I$(LIBWORD_BASE)/include
LIBWORD_SRCS-y += $(LIBWORD_BASE)/word.c
`,
    );
    await writeFile(join(library, 'include/word.h'), 'const char *word(void);\n');
    await writeFile(
      join(library, 'word.c'),
      '#include <word.h>\nconst char *word(void) { return "from a library"; }\n',
    );
    await writeFile(
      join(application, 'Makefile.uk'),
      '$(eval $(call addlib,appx))\nAPPX_SRCS-y += $(APPX_BASE)/main.c\n',
    );
    await writeFile(
      join(application, 'main.c'),
      '#include <stdio.h>\n#include <word.h>\nint main(void) { puts(word()); return 0; }\n',
    );
    const which = {
      name: 'with-library',
      application,
      libraries: [library],
      options: { LIBWORD: 'y', LIBVFSCORE: 'n' },
    };
    expect(await boot(await build(which), '')).toContain('from a library\n');
  });

  test('gives the same bytes for the same paths', async () => {
    const first = await readFile(await build({ name: 'again' }));
    await make({ name: 'again' }, 'properclean');
    expect((await readFile(await build({ name: 'again' }))).equals(first)).toBe(true);
  });

  test('takes no flags from the environment, which no key of a cache knows', async () => {
    const first = await readFile(await build({ name: 'flags' }));
    await make({ name: 'flags' }, 'properclean');
    for (const name of ['CFLAGS', 'CXXFLAGS', 'ASINCLUDES']) vi.stubEnv(name, '-O0 -fno-inline');
    try {
      expect((await readFile(await build({ name: 'flags' }))).equals(first)).toBe(true);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test('names what it cannot do', async () => {
    await expect(make({ name: 'empty' })).rejects.toThrow('run the goal defconfig');
  });

  test('has menus that begin with the defaults where nothing is configured', async () => {
    expect(await make({ name: 'menus' }, 'menuconfig')).toContain('CONFIG_LIBVFSCORE=\n');
    expect(await readFile(join(folder, 'menus', '.config'), 'utf8')).toContain('CONFIG_');
  });
});
