import { mkdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { makeApplication, makefile, planOf, useFolders } from '../test/sample.ts';
import { buildKernel } from './build.ts';
import { exists } from './files.ts';
import type { BuildOptions, KernelPlan } from './plan.ts';

const folders = useFolders();

type Files = Readonly<Record<string, string>>;

async function write(folder: string, files: Files): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

async function application(name: string, files: Files): Promise<KernelPlan> {
  const folder = await makeApplication(join(folders.test, name));
  await write(folder, files);
  return planOf(folder);
}

async function build(kernel: KernelPlan, options: BuildOptions = {}): Promise<Buffer> {
  await buildKernel(kernel, options);
  return readFile(kernel.output.kernel);
}

/** What a kernel is when nothing is used again. */
async function buildFromNothing(kernel: KernelPlan, options: BuildOptions = {}): Promise<Buffer> {
  await rm(kernel.workFolder, { recursive: true });
  return build(kernel, { ...options, share: false });
}

const taking = '#include <value.h>\nint other(void) { return VALUE; }\n';
const flags = (lines: string): string => `${makefile}${lines}\n`;

interface Change {
  readonly before: Files;
  readonly change: (folder: string) => Promise<unknown>;
}

/** Changes that make does not see, since it compares the times of the files alone that a compiler lists. */
const changes: Readonly<Record<string, Change>> = {
  'data that an assembler includes': {
    before: {
      'other.c':
        '__asm__(".data\\ndata: .incbin \\"" DATA "\\"\\n.text");\nextern char data[];\nint other(void) { return data[0]; }\n',
      'Makefile.uk': flags(`APPSAMPLE_CFLAGS-y += -DDATA='"$(APPSAMPLE_BASE)/data.bin"'`),
      'data.bin': 'one',
    },
    change: (folder) => write(folder, { 'data.bin': 'two' }),
  },
  'a new header that is found before another': {
    before: {
      'other.c': taking,
      'Makefile.uk': flags('APPSAMPLE_CINCLUDES-y += $(addprefix -I$(APPSAMPLE_BASE)/,first second)'),
      'second/value.h': '#define VALUE 1\n',
    },
    change: (folder) => write(folder, { 'first/value.h': '#define VALUE 2\n' }),
  },
  'options in a file of any name': {
    before: {
      'other.c': 'int other(void) { return CONFIG_VALUE; }\n',
      'Config.uk': 'source "$(UK_APP)/value"\n',
      value: 'config VALUE\n\tint\n\tdefault 1\n',
    },
    change: (folder) => write(folder, { value: 'config VALUE\n\tint\n\tdefault 2\n' }),
  },
  'a link that leads to an older file': {
    before: {
      'other.c': taking,
      'Makefile.uk': flags('APPSAMPLE_CINCLUDES-y += -I$(APPSAMPLE_BASE)'),
      'value-2.h': '#define VALUE 2\n',
      'value-1.h': '#define VALUE 1\n',
    },
    change: async (folder) => {
      await rm(join(folder, 'value.h'));
      await symlink('value-2.h', join(folder, 'value.h'));
    },
  },
  'a variable of the environment that a build file takes': {
    before: {
      'other.c': 'int other(void) { return VALUE; }\n',
      'Makefile.uk': flags('TAKEN_VALUE ?= 1\nAPPSAMPLE_CFLAGS-y += -DVALUE=$(TAKEN_VALUE)'),
    },
    change: () => Promise.resolve(vi.stubEnv('TAKEN_VALUE', '2')),
  },
};
afterEach(() => vi.unstubAllEnvs());

test.each(Object.entries(changes))('%s is not missed', async (_, { before, change }) => {
  const kernel = await application('app', before);
  await symlink('value-1.h', join(kernel.application, 'value.h'));
  const old = await build(kernel);
  await change(kernel.application);
  const now = await build(kernel);
  const right = await buildFromNothing(kernel);
  expect(right.equals(old)).toBe(false);
  expect(now.equals(right)).toBe(true);
});

test('a source that was written during a build and comes into place after it is not missed', async () => {
  const kernel = await application('app', {});
  let written: Promise<void> | undefined;
  const old = await build(kernel, {
    share: false,
    onStep: () => {
      written ??= write(folders.test, { 'other.c': 'int other(void) { return 2; }\n' });
    },
  });
  await written;
  await rename(join(folders.test, 'other.c'), join(kernel.application, 'other.c'));
  expect((await build(kernel)).equals(old)).toBe(false);
});

test('a source that is changed once it was read, before its object is there, is not missed', async () => {
  const slow =
    '$(APPSAMPLE_BUILD)/made.c: $(APPSAMPLE_BASE)/made.txt\n\t@cp $< $@.tmp && echo reading > $(O)/reading && sleep 1 && mv $@.tmp $@ && touch $@';
  const kernel = await application('app', {
    'other.c': '',
    'made.txt': 'int other(void) { return 1; }\n',
    'Makefile.uk': flags(`APPSAMPLE_SRCS-y += $(APPSAMPLE_BUILD)/made.c\n${slow}`),
  });
  const building = build(kernel, { share: false });
  while (!(await exists(join(kernel.workFolder, 'objects/reading')))) await sleep(20);
  await write(kernel.application, { 'made.txt': 'int other(void) { return 2; }\n' });
  const old = await building;
  const now = await build(kernel, { share: false });
  expect(now.equals(old)).toBe(false);
});

/** Applications that say the same to all libraries, and mean something else. */
const pairs: Readonly<Record<string, readonly [Files, Files]>> = {
  'a header that all libraries take before their own': [
    { 'Makefile.uk': `COMPFLAGS-y += -I$(APP_BASE)/include\n${makefile}` },
    { 'include/string.h': '#error taken\n' },
  ],
  'what sources are made of': [
    {
      'Makefile.uk':
        '$(eval $(call addlib,libmade))\nLIBMADE_SRCS-y += $(LIBMADE_BUILD)/made.c\n' +
        `$(LIBMADE_BUILD)/made.c: $(APP_BASE)/made.txt\n\t@cp $< $@\n${makefile}`,
      'made.txt': 'int made = 1;\n',
      'other.c': 'extern int made;\nint other(void) { return made; }\n',
    },
    { 'made.txt': 'int made = 2;\n' },
  ],
  'options in a file of any name': [
    {
      'Config.uk': 'source "$(UK_APP)/value"\n',
      value: 'config VALUE\n\tint\n\tdefault 1\n',
      'other.c': 'int other(void) { return CONFIG_VALUE; }\n',
    },
    { value: 'config VALUE\n\tint\n\tdefault 2\n' },
  ],
};

test.each(Object.entries(pairs))('of two applications that differ in %s each gets its own', async (_, [one, other]) => {
  await build(await application('one', one));
  const kernel = await application('other', { ...one, ...other });
  const old = new Date(Date.now() - 60_000);
  for (const path of Object.keys(other)) await utimes(join(kernel.application, path), old, old);
  const outcome = async (making: Promise<Buffer>): Promise<string> =>
    making.then(
      (bytes) => bytes.toString('latin1'),
      (error: Error) => error.message,
    );
  // One after another, or it is up to make which of the libraries that fail is told.
  const now = await outcome(build(kernel, { jobs: 1 }));
  const right = await outcome(buildFromNothing(kernel, { jobs: 1 }));
  expect(now === right).toBe(true);
});
