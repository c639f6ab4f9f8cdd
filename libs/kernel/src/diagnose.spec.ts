import { expect, test } from 'vitest';
import { diagnoseMakeOutput, parseMakeStep } from './diagnose.ts';
import { orderLibraries } from './libraries.ts';
import { stripOwnSettings } from './build-files.ts';

const toHost = (path: string) => path.replace('/mnt/app', '/home/me/hello');

test('the first compiler error is told with its place on this machine and its library', async () => {
  const output = [
    '  CC      libnolibc: ctype.o',
    '  CC      apphello: main.o',
    "/mnt/app/main.c:3:2: warning: unused variable 'x'",
    "/mnt/app/main.c:7:9: error: 'nothing' undeclared",
    '/mnt/app/main.c:9:1: error: expected declaration',
    'make[1]: *** [/mnt/core/Makefile.build:27: /mnt/objects/apphello/main.o] Error 1',
  ].join('\n');
  expect(await diagnoseMakeOutput(output, toHost)).toMatchObject({
    code: 'KERNEL_COMPILE_FAILED',
    message: "'nothing' undeclared (in apphello)",
    at: '/home/me/hello/main.c:7:9',
  });
});

test('a missing symbol is a link error', async () => {
  const output =
    "  LD      unikernel_qemu-x86_64.dbg: \nmain.c:(.text+0x5): undefined reference to `missing_function'\n";
  expect(await diagnoseMakeOutput(output, toHost)).toMatchObject({
    code: 'KERNEL_LINK_FAILED',
    message: expect.stringContaining('missing_function') as string,
  });
});

test('a missing symbol is told at the line that wants it, where the linker knows that', async () => {
  const output = "/usr/bin/ld: /mnt/app/main.c:10: undefined reference to `gone'\n";
  expect(await diagnoseMakeOutput(output, toHost)).toMatchObject({
    code: 'KERNEL_LINK_FAILED',
    message: "undefined reference to `gone'",
    at: '/home/me/hello/main.c:10',
  });
});

test.each([
  ['/bin/sh: 1: m4: not found', 'm4'],
  ['bash: line 1: unzip: command not found', 'unzip'],
  ['make[1]: flex: No such file or directory', 'flex'],
])('a program that is not there is named: %s', async (line, program) => {
  const output = `/bin/sh: 1: pkg-config: not found\n${line}\nmake: *** [/mnt/core/Makefile:1: x] Error 127\n`;
  expect(await diagnoseMakeOutput(output, toHost)).toMatchObject({
    code: 'KERNEL_NO_PROGRAM',
    message: `the build needs ${program}, which is not there`,
    hint: expect.stringContaining(program) as string,
  });
});

test('a source that cannot be fetched is told, however much make says after it', async () => {
  const output = [
    'https://example.org/lwip.zip: it cannot be fetched: not found (COMPONENT_UNREACHABLE)',
    '  Check the network.',
    ...Array.from({ length: 20 }, (_, index) => `  CC      libother: file${index}.o`),
    'unzip:  cannot find or open /mnt/objects/liblwip/lwip.zip',
    'make: *** [Makefile:1174: sub-make] Error 2',
  ].join('\n');
  expect(await diagnoseMakeOutput(output, toHost)).toMatchObject({
    code: 'KERNEL_FETCH_FAILED',
    message:
      'the sources of a library cannot be fetched:\n' +
      '  https://example.org/lwip.zip: it cannot be fetched: not found (COMPONENT_UNREACHABLE)\n' +
      '  Check the network.',
  });
});

test('anything else shows the last lines of make, with the places of this machine', async () => {
  const output = "one\nmake: *** No rule to make target '/mnt/app/main.c', needed by 'main.o'.  Stop.\n";
  expect(await diagnoseMakeOutput(output, toHost)).toMatchObject({
    code: 'KERNEL_BUILD_FAILED',
    message: expect.stringContaining("No rule to make target '/home/me/hello/main.c', needed") as string,
  });
});

test('a script that misses what lies around the application is told how to see it', async () => {
  const output =
    "FileNotFoundError: [Errno 2] No such file or directory: '/mnt/api/api.json'\nmake: *** [Makefile.uk:3: api.h] Error 1\n";
  expect(await diagnoseMakeOutput(output, toHost)).toMatchObject({
    code: 'KERNEL_BUILD_FAILED',
    hint: expect.stringContaining('must be named in Makefile.uk') as string,
  });
});

test('quiet lines are steps, others are not', () => {
  expect(parseMakeStep('  CC      libuklock: mutex.o')).toEqual({ tool: 'CC', library: 'libuklock', file: 'mutex.o' });
  expect(parseMakeStep('  LD      libuklock.o')).toEqual({ tool: 'LD', library: undefined, file: 'libuklock.o' });
  expect(parseMakeStep('make: Leaving directory')).toBeUndefined();
});

test('libraries that shadow others come first, the rest by folder', () => {
  const names = ['lwip', 'newlib', 'zlib', 'musl', 'libcxx', 'compiler-rt'];
  const libraries = names.map((name) => ({ name, folder: `/s/${name}` }));
  expect(orderLibraries(libraries).map(({ name }) => name)).toEqual([
    'libcxx',
    'compiler-rt',
    'musl',
    'newlib',
    'lwip',
    'zlib',
  ]);
});

test('only what an application says to all libraries keeps it from sharing objects', () => {
  const plain = '$(eval $(call addlib,apphello))\nAPPHELLO_SRCS-y += a.c \\\n  b.c\n# note\n';
  expect(stripOwnSettings(plain)).toBe('');
  expect(stripOwnSettings(`${plain}CFLAGS-y += -O3 # fast\n`)).toBe('CFLAGS-y += -O3');
});
