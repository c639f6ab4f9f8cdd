import { appendFile, cp, mkdir, readFile, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildInProcess } from '../test/process.ts';
import { core, main, makeApplication, makefile, planOf, useFolders } from '../test/sample.ts';
import { buildKernel } from './build.ts';
import type { BuildOptions, BuiltKernel, KernelPlan } from './plan.ts';
import { crossCompilePrefix, describeToolchains } from './toolchain.ts';

const folders = useFolders();
const application = (name: string): Promise<string> => makeApplication(join(folders.test, name));

/** Builds and tells which files were compiled. */
async function build(kernel: KernelPlan, options: BuildOptions = {}): Promise<BuiltKernel & { compiled: string[] }> {
  const compiled: string[] = [];
  const built = await buildKernel(kernel, {
    ...options,
    onStep: (step) => {
      if (step.tool === 'CC') compiled.push(`${step.library}/${step.file}`);
    },
  });
  return { ...built, compiled: compiled.toSorted() };
}

const results = async (kernel: KernelPlan): Promise<readonly Buffer[]> =>
  Promise.all(Object.values(kernel.output).map((path) => readFile(path)));

test('a touched source compiles that source alone', async () => {
  const kernel = planOf(await application('app'));
  await build(kernel);
  expect((await build(kernel)).compiled).toEqual([]);
  const before = await readFile(kernel.output.kernel);
  await writeFile(join(kernel.application, 'main.c'), main.replace('one', 'two'));
  expect((await build(kernel)).compiled).toEqual(['appsample/main.o']);
  expect((await readFile(kernel.output.kernel)).equals(before)).toBe(false);
});

test('a second application compiles its own sources alone, and is what it is without sharing', async () => {
  await build(planOf(await application('first')));
  const second = planOf(await application('second'));
  await writeFile(join(second.application, 'main.c'), main.replace('one', 'two'));
  const built = await build(second);
  expect(built).toMatchObject({ shared: true, compiled: ['appsample/main.o', 'appsample/other.o'] });
  const sharing = await results(second);

  await rm(second.workFolder, { recursive: true });
  await rm(folders.shared, { recursive: true });
  expect((await build(second)).shared).toBe(false);
  expect(await results(second)).toEqual(sharing);
});

test('as many steps are told as there are, from nothing and with shared objects', async () => {
  for (const name of ['first', 'second']) {
    const kernel = planOf(await application(name), { CONFIG_LIBUKBOOT_MAXNBARGS: '8' });
    let [total, steps] = [0, 0];
    await buildKernel(kernel, { onTotal: (count) => (total = count), onStep: () => steps++ });
    expect(steps).toBeGreaterThan(1);
    expect(steps).toBe(total);
  }
});

test('two folders, times and users’ masks give the same bits', async () => {
  const here = planOf(await application('here'));
  await build(here);
  const elsewhere = planOf(join(folders.test, 'some/where/else'));
  await cp(here.application, elsewhere.application, { recursive: true, filter: (path) => !path.includes('.unikraft') });
  await utimes(join(elsewhere.application, 'main.c'), 1, 1);
  await rm(folders.shared, { recursive: true });
  const mask = process.umask(0o077);
  await build(elsewhere).finally(() => process.umask(mask));
  expect(await results(elsewhere)).toEqual(await results(here));
});

test('builds of one configuration that start together compile it once', async () => {
  await rm(folders.shared, { recursive: true, force: true });
  const applications = await Promise.all(['a', 'b', 'c'].map(application));
  const built = await Promise.all(applications.map((each) => build(planOf(each))));
  expect(built.filter((result) => result.shared)).toHaveLength(2);
});

test('a changed flag, an option and a file that was replaced by an older one are not missed', async () => {
  const kernel = planOf(await application('app'));
  await writeFile(join(kernel.application, 'other.c'), 'int other(void) { return VALUE; }\n');
  await appendFile(join(kernel.application, 'Makefile.uk'), 'APPSAMPLE_CFLAGS-y += -DVALUE=1\n');
  await build(kernel);
  const first = await readFile(kernel.output.kernel);

  await writeFile(join(kernel.application, 'Makefile.uk'), `${makefile}APPSAMPLE_CFLAGS-y += -DVALUE=2\n`);
  await build(kernel);
  const second = await readFile(kernel.output.kernel);
  expect(second.equals(first)).toBe(false);

  await writeFile(join(kernel.application, 'other.c'), 'int other(void) { return 3; }\n');
  await utimes(join(kernel.application, 'other.c'), 1000, 1000);
  expect((await build(kernel)).compiled).toContain('appsample/other.o');
  expect((await readFile(kernel.output.kernel)).equals(second)).toBe(false);
});

test.each([
  ['that an application goes up to', '../common'],
  ['behind a link out of an application', 'linked'],
])('sources and build files %s are followed, also when they become older', async (_, way) => {
  const beside = join(folders.test, 'common');
  const kernel = planOf(await application('app'));
  const writeOld = async (name: string, text: string, seconds: number): Promise<void> => {
    await writeFile(join(beside, name), text);
    await utimes(join(beside, name), seconds, seconds);
  };
  await mkdir(beside);
  await writeOld('value.h', '#define VALUE 1\n', 3000);
  await writeOld('other.c', '#include "value.h"\nint other(void) { return VALUE + MORE; }\n', 3000);
  await writeOld('flags.mk', 'APPSAMPLE_CFLAGS-y += -DMORE=1\n', 3000);
  if (way === 'linked') await symlink('../common', join(kernel.application, way));
  await writeFile(
    join(kernel.application, 'Makefile.uk'),
    makefile
      .replace('$(APPSAMPLE_BASE)/other.c', `$(APPSAMPLE_BASE)/${way}/other.c`)
      .concat(`include $(APPSAMPLE_BASE)/${way}/flags.mk\n`),
  );
  expect(await build(kernel)).toMatchObject({ canonical: true });
  expect((await build(kernel)).compiled).toEqual([]);
  for (const [name, text] of [
    ['value.h', '#define VALUE 2\n'],
    ['flags.mk', 'APPSAMPLE_CFLAGS-y += -DMORE=5\n'],
  ] as const) {
    const before = await readFile(kernel.output.kernel);
    await writeOld(name, text, 1000);
    expect((await build(kernel)).compiled).toContain('appsample/other.o');
    expect((await readFile(kernel.output.kernel)).equals(before)).toBe(false);
  }
});

test('files that sources alone include from around the application are followed', async () => {
  const shared = join(folders.test, 'shared');
  await mkdir(shared);
  await writeFile(join(shared, 'value.h'), '#include "more.h"\n');
  await writeFile(join(shared, 'more.h'), '#define VALUE 1\n');
  const kernel = planOf(await application('apps/app'));
  await writeFile(
    join(kernel.application, 'other.c'),
    '#include "../../shared/value.h"\nint other(void) { return VALUE; }\n',
  );
  expect(await build(kernel)).toMatchObject({ canonical: true });
  const before = await readFile(kernel.output.kernel);
  await writeFile(join(shared, 'more.h'), '#define VALUE 2\n');
  expect((await build(kernel)).compiled).toContain('appsample/other.o');
  expect((await readFile(kernel.output.kernel)).equals(before)).toBe(false);
});

test('a link on the way to sources is followed, and when it leads elsewhere that is not missed', async () => {
  for (const [name, value] of [
    ['one', 1],
    ['two', 2],
  ] as const) {
    await mkdir(join(folders.test, name, 'include'), { recursive: true });
    await writeFile(join(folders.test, name, 'include/value.h'), `#define VALUE ${value}\n`);
  }
  const kernel = planOf(await application('apps/app'));
  const link = join(folders.test, 'apps/current');
  await symlink('../one', link);
  await appendFile(
    join(kernel.application, 'Makefile.uk'),
    'APPSAMPLE_CINCLUDES-y += -I$(APPSAMPLE_BASE)/../current/include\n',
  );
  await writeFile(join(kernel.application, 'other.c'), '#include <value.h>\nint other(void) { return VALUE; }\n');
  expect(await build(kernel)).toMatchObject({ canonical: true });
  const before = await readFile(kernel.output.kernel);
  await rm(link);
  await symlink('../two', link);
  expect((await build(kernel)).compiled).toContain('appsample/other.o');
  expect((await readFile(kernel.output.kernel)).equals(before)).toBe(false);
});

test('a local library takes sources from beside it, which are followed and not shared', async () => {
  await mkdir(join(folders.test, 'common'));
  await writeFile(join(folders.test, 'common/value.h'), '#define VALUE 1\n');
  await mkdir(join(folders.test, 'mine'));
  await writeFile(
    join(folders.test, 'mine/Makefile.uk'),
    '$(eval $(call addlib,libmine))\nLIBMINE_CINCLUDES-y += -I$(LIBMINE_BASE)/../common\nLIBMINE_SRCS-y += $(LIBMINE_BASE)/mine.c\n',
  );
  await writeFile(join(folders.test, 'mine/mine.c'), '#include <value.h>\nint mine = VALUE;\n');
  const libraries = [{ name: 'mine', folder: join(folders.test, 'mine') }];
  const kernel = { ...planOf(await application('app')), libraries };
  await writeFile(join(kernel.application, 'other.c'), 'extern int mine;\nint other(void) { return mine; }\n');
  await build(kernel);
  const before = await readFile(kernel.output.kernel);
  await writeFile(join(folders.test, 'common/value.h'), '#define VALUE 2\n');
  await utimes(join(folders.test, 'common/value.h'), 1000, 1000);
  expect((await build(kernel)).compiled).toContain('libmine/mine.o');
  expect((await readFile(kernel.output.kernel)).equals(before)).toBe(false);

  const other = { ...planOf(await application('other')), libraries };
  expect(await build(other)).toMatchObject({ shared: false });
});

test('settings for all libraries that lie beside an application are not shared with those that have none', async () => {
  const kernel = planOf(await application('app'));
  await mkdir(join(folders.test, 'common'));
  await writeFile(join(folders.test, 'common/flags.mk'), 'CFLAGS-y += -DFOR_ALL\n');
  await writeFile(join(kernel.application, 'Makefile.uk'), `${makefile}include $(APPSAMPLE_BASE)/../common/flags.mk\n`);
  await build(planOf(await application('plain')));
  expect((await build(kernel)).shared).toBe(false);
});

test('an option that does not stick is told, even when the build then fails', async () => {
  const kernel = planOf(await application('app'), { CONFIG_NO_SUCH_OPTION: 'y' });
  await writeFile(join(kernel.application, 'main.c'), 'not even C');
  let told: unknown;
  await expect(build(kernel, { onDropped: (dropped) => (told = dropped) })).rejects.toThrow();
  expect(told).toEqual([
    { symbol: 'CONFIG_NO_SUCH_OPTION', asked: 'y', got: undefined, why: 'no Config.uk declares it' },
  ]);
});

test('whoever hears of options that did not stick can refuse them, before anything is compiled', async () => {
  const kernel = planOf(await application('app'), { CONFIG_LIBUKBOOT_MAXNBARGS: 'many' });
  const compiled: string[] = [];
  const refused = buildKernel(kernel, {
    onDropped: (dropped) => {
      throw new Error(`no ${dropped.map(({ symbol }) => symbol).join()}`);
    },
    onStep: ({ file }) => compiled.push(file),
  });
  await expect(refused).rejects.toThrow('no CONFIG_LIBUKBOOT_MAXNBARGS');
  expect(compiled).toEqual([]);
  await build(kernel);
});

test('a compile error is told at its place, keeps the old kernel, and mending it is enough', async () => {
  const kernel = planOf(await application('app'));
  await build(kernel);
  const before = await readFile(kernel.output.kernel);
  await writeFile(join(kernel.application, 'main.c'), 'int main(void) { return nothing; }\n');
  await expect(build(kernel)).rejects.toMatchObject({
    code: 'KERNEL_COMPILE_FAILED',
    at: `${kernel.application}/main.c:1:25`,
  });
  expect((await readFile(kernel.output.kernel)).equals(before)).toBe(true);
  await writeFile(join(kernel.application, 'main.c'), main);
  expect((await build(kernel)).compiled).toEqual(['appsample/main.o']);
});

test('a missing function is a link error, and a missing compiler says what to install', async () => {
  const kernel = planOf(await application('app'));
  await writeFile(join(kernel.application, 'other.c'), 'int missing(void);\nint other(void) { return missing(); }\n');
  await expect(build(kernel)).rejects.toMatchObject({
    code: 'KERNEL_LINK_FAILED',
    message: expect.stringContaining('missing') as string,
  });
  const path = process.env.PATH;
  process.env.PATH = folders.test;
  const nothing = await describeToolchains(['x86_64']).finally(() => (process.env.PATH = path));
  await expect(build({ ...kernel, toolchain: nothing.get('x86_64') ?? '' })).rejects.toMatchObject({
    code: 'KERNEL_NO_COMPILER',
    hint: expect.stringContaining('gcc') as string,
  });
});

/** A kernel for Xen on ARM of a stand-in for the core, since the test kernel is for x86_64 alone; `debug` is its ELF file. */
async function standInKernel(debug: string): Promise<KernelPlan> {
  const lines = [
    'defconfig:',
    '\t@cp $(UK_DEFCONFIG) $(C)',
    'all:',
    '\t@touch $(O)/$(N)_xen-arm64 $(O)/$(N).map',
    `\t@${debug} > $(O)/$(N)_xen-arm64.elf.dbg`,
  ];
  await writeFile(join(folders.test, 'Makefile'), lines.join('\n'));
  return {
    ...planOf(await application('app')),
    architecture: 'arm64',
    platform: 'xen',
    core: { folder: folders.test },
    toolchain: `${crossCompilePrefix('arm64')}gcc: 12.2`,
  };
}

test('for Xen on ARM the debug kernel is the ELF file that the image was copied from', async () => {
  const kernel = await standInKernel('echo symbols');
  await buildKernel(kernel, { share: false });
  expect(await readFile(kernel.output.debugKernel, 'utf8')).toBe('symbols\n');
});

test.each(['COMPILER', 'CPATH', 'CONFIG_UK_BASE', 'UK_CFLAGS'])(
  'make does not see %s, which it would take something from that no key knows',
  async (name) => {
    process.env[name] = 'foreign';
    const kernel = await standInKernel('env');
    await buildKernel(kernel, { share: false }).finally(() => delete process.env[name]);
    const environment = await readFile(kernel.output.debugKernel, 'utf8');
    expect(environment).toContain('SOURCE_DATE_EPOCH=0\n');
    expect(environment).not.toContain('foreign');
  },
);

test('a library without build files is told before anything is built', async () => {
  const kernel = planOf(await application('app'));
  const library = { name: 'lwip', folder: join(folders.test, 'lib-lwip') };
  await expect(build({ ...kernel, libraries: [library] })).rejects.toMatchObject({
    code: 'KERNEL_NO_LIBRARY',
    at: library.folder,
  });
});

test('a full disk is called that, keeps the old kernel, and with space again the next build is right', async () => {
  const kernel = planOf(await application('app'));
  await build(kernel);
  const good = await results(kernel);
  // A small disk of its own over the folder of objects, in a namespace that ends with this one build.
  const mount = 'mkdir -p "$1" && mount -t tmpfs -o size=256k tmpfs "$1" && shift && exec "$@"';
  const inNamespace = ['--user', '--map-root-user', '--mount', 'sh', '-c', mount, 'sh', kernel.workFolder];
  const outcome = await buildInProcess(kernel, ['unshare', ...inNamespace], {
    NX_KRAFT_OBJECTS: join(folders.test, 'none'),
  });
  expect(outcome).toMatchObject({ code: 'KERNEL_NO_SPACE' });
  expect(await results(kernel)).toEqual(good);
  await build(kernel);
  expect(await results(kernel)).toEqual(good);
});

test('objects that nobody took for a month are thrown away when others are kept', async () => {
  const old = join(folders.shared, 'old');
  await cp(await application('old'), old, { recursive: true });
  await utimes(old, 1000, 1000);
  await build(planOf(await application('app'), { CONFIG_LIBUKBOOT_MAXNBARGS: '7' }));
  const kept = await readdir(folders.shared);
  expect(kept).not.toContain('old');
  expect(kept).not.toEqual([]);
});

test.each(['CC', 'LD'])(
  'a build that is stopped at %s leaves the old kernel, and the next one is right',
  async (tool) => {
    const kernel = planOf(await application('app'));
    await build(kernel);
    const good = await results(kernel);
    await writeFile(join(kernel.application, 'main.c'), main);
    const stop = new AbortController();
    const stopped = buildKernel(kernel, { signal: stop.signal, onStep: (step) => step.tool === tool && stop.abort() });
    await expect(stopped).rejects.toMatchObject({ code: 'KERNEL_STOPPED' });
    expect(await results(kernel)).toEqual(good);
    await build(kernel);
    expect(await results(kernel)).toEqual(good);
  },
);

test('no folder but the work folder and the outputs is written to', async () => {
  const kernel = planOf(await application('app'));
  const coreTime = (await stat(core)).mtimeMs;
  await build(kernel);
  expect((await readdir(kernel.application)).toSorted()).toEqual(['.unikraft', 'Makefile.uk', 'main.c', 'other.c']);
  expect((await stat(core)).mtimeMs).toBe(coreTime);
});
