import { appendFile, cp, mkdir, mkdtemp, readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type BuildOptions, type BuiltKernel, type KernelPlan, buildKernel } from './build.ts';
import { describeToolchains } from './toolchain.ts';
import { type Kconfig, mergeKconfig, targetSymbols } from './kconfig.ts';

const core = process.env.NX_KRAFT_TEST_CORE ?? '';

const makefile = `$(eval $(call addlib,appsample))
APPSAMPLE_SRCS-y += $(APPSAMPLE_BASE)/main.c
APPSAMPLE_SRCS-y += $(APPSAMPLE_BASE)/other.c
`;
const main = '#include <stdio.h>\nint other(void);\nint main(void) { printf("one\\n"); return other(); }\n';

let folder: string;
/** Objects are shared by all tests of this file, so the first build warms the others up. */
let shared: string;
let toolchain: string;

beforeAll(async () => {
  shared = await mkdtemp(join(tmpdir(), 'objects-'));
  process.env.NX_KRAFT_OBJECTS = shared;
  toolchain = (await describeToolchains(['x86_64'])).get('x86_64') ?? '';
});
afterAll(() => rm(shared, { recursive: true }));
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kernel-'));
  return () => rm(folder, { recursive: true });
});

async function makeApplication(name: string): Promise<string> {
  const application = join(folder, name);
  await mkdir(application, { recursive: true });
  await writeFile(join(application, 'Makefile.uk'), makefile);
  await writeFile(join(application, 'main.c'), main);
  await writeFile(join(application, 'other.c'), 'int other(void) { return 0; }\n');
  return application;
}

function plan(application: string, kconfig: Kconfig = {}, platform = 'qemu', architecture = 'x86_64'): KernelPlan {
  const build = join(application, '.unikraft/build');
  return {
    architecture,
    platform,
    core: { folder: core },
    application,
    toolchain,
    libraries: [],
    kconfig: mergeKconfig(kconfig, targetSymbols(architecture, platform)),
    workFolder: join(application, '.unikraft/work'),
    output: { kernel: join(build, 'k'), debugKernel: join(build, 'k.dbg'), config: join(build, 'k.config') },
  };
}

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
  const kernel = plan(await makeApplication('app'));
  await build(kernel);
  expect((await build(kernel)).compiled).toEqual([]);
  const before = await readFile(kernel.output.kernel);
  await writeFile(join(kernel.application, 'main.c'), main.replace('one', 'two'));
  expect((await build(kernel)).compiled).toEqual(['appsample/main.o']);
  expect((await readFile(kernel.output.kernel)).equals(before)).toBe(false);
});

test('a second application compiles its own sources alone, and is what it is without sharing', async () => {
  await build(plan(await makeApplication('first')));
  const second = plan(await makeApplication('second'));
  await writeFile(join(second.application, 'main.c'), main.replace('one', 'two'));
  const built = await build(second);
  expect(built).toMatchObject({ shared: true, compiled: ['appsample/main.o', 'appsample/other.o'] });
  const sharing = await results(second);

  await rm(second.workFolder, { recursive: true });
  await rm(shared, { recursive: true });
  expect((await build(second)).shared).toBe(false);
  expect(await results(second)).toEqual(sharing);
});

test('two folders, times and users’ masks give the same bits', async () => {
  const here = plan(await makeApplication('here'));
  await build(here);
  const elsewhere = plan(join(folder, 'some/where/else'));
  await cp(here.application, elsewhere.application, { recursive: true, filter: (path) => !path.includes('.unikraft') });
  await utimes(join(elsewhere.application, 'main.c'), 1, 1);
  await rm(shared, { recursive: true });
  const mask = process.umask(0o077);
  await build(elsewhere).finally(() => process.umask(mask));
  expect(await results(elsewhere)).toEqual(await results(here));
});

test('builds of one configuration that start together compile it once', async () => {
  await rm(shared, { recursive: true, force: true });
  const applications = await Promise.all(['a', 'b', 'c'].map(makeApplication));
  const built = await Promise.all(applications.map((application) => build(plan(application))));
  expect(built.filter((result) => result.shared)).toHaveLength(2);
});

test('a changed flag, an option and a file that was replaced by an older one are not missed', async () => {
  const kernel = plan(await makeApplication('app'));
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

test('an option that does not stick is told', async () => {
  const kernel = plan(await makeApplication('app'), { CONFIG_NO_SUCH_OPTION: 'y' });
  expect((await build(kernel)).dropped).toEqual([{ symbol: 'CONFIG_NO_SUCH_OPTION', asked: 'y', got: undefined }]);
});

test('a compile error is told at its place, keeps the old kernel, and mending it is enough', async () => {
  const kernel = plan(await makeApplication('app'));
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
  const kernel = plan(await makeApplication('app'));
  await writeFile(join(kernel.application, 'other.c'), 'int missing(void);\nint other(void) { return missing(); }\n');
  await expect(build(kernel)).rejects.toMatchObject({
    code: 'KERNEL_LINK_FAILED',
    message: expect.stringContaining('missing') as string,
  });
  const path = process.env.PATH;
  process.env.PATH = folder;
  const nothing = await describeToolchains(['x86_64']).finally(() => (process.env.PATH = path));
  await expect(build({ ...kernel, toolchain: nothing.get('x86_64') ?? '' })).rejects.toMatchObject({
    code: 'KERNEL_NO_COMPILER',
    hint: expect.stringContaining('gcc') as string,
  });
});

test('a build that is stopped leaves the old kernel, and the next one starts anew and is right', async () => {
  const kernel = plan(await makeApplication('app'));
  await build(kernel);
  const good = await results(kernel);
  await writeFile(join(kernel.application, 'main.c'), main);
  const stop = new AbortController();
  const stopped = buildKernel(kernel, { signal: stop.signal, onStep: () => stop.abort() });
  await expect(stopped).rejects.toMatchObject({ code: 'KERNEL_STOPPED' });
  expect(await results(kernel)).toEqual(good);
  await build(kernel);
  expect(await results(kernel)).toEqual(good);
});

test('no folder but the work folder and the outputs is written to', async () => {
  const kernel = plan(await makeApplication('app'));
  const coreTime = (await stat(core)).mtimeMs;
  await build(kernel);
  expect((await readdir(kernel.application)).toSorted()).toEqual(['.unikraft', 'Makefile.uk', 'main.c', 'other.c']);
  expect((await stat(core)).mtimeMs).toBe(coreTime);
});
