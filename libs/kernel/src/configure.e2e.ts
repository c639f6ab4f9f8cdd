import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeApplication, planOf, useFolders } from '../test/sample.ts';
import { configureKernel } from './configure.ts';
import { librarySymbols } from './libraries.ts';

const folders = useFolders();

test('the finished configuration holds what was asked, what that brings, and why some of it did not stick', async () => {
  const asked = { CONFIG_LIBUKBOOT_MAXNBARGS: '9', CONFIG_LIB9PFS: 'y', CONFIG_LIBVFSCOR: 'y' };
  const plan = planOf(await makeApplication(join(folders.test, 'app')), asked);
  const { config, dropped } = await configureKernel(plan);
  expect(config).toMatchObject({ CONFIG_LIBUKBOOT_MAXNBARGS: '9', CONFIG_KVM_VMM_QEMU: 'y', CONFIG_UK_ARCH: 'x86_64' });
  expect(dropped).toEqual([
    { symbol: 'CONFIG_LIB9PFS', asked: 'y', got: undefined, why: 'it depends on CONFIG_LIBVFSCORE_AUTOMOUNT_UP' },
    {
      symbol: 'CONFIG_LIBVFSCOR',
      asked: 'y',
      got: undefined,
      why: 'no Config.uk declares it; did you mean CONFIG_LIBVFSCORE?',
    },
  ]);
});

test('a library of the Kraftfile is switched on, by the option that it declares', async () => {
  const library = async (name: string, declarations: string) => {
    const folder = join(folders.test, name);
    await mkdir(folder);
    await writeFile(join(folder, 'Config.uk'), declarations);
    return { name, folder };
  };
  const libraries = await Promise.all([
    library('lwip', 'menuconfig LIBLWIP\n\tbool "lwip"\n'),
    library('libelf', 'config LIBELF\n\tbool "libelf"\n'),
    library('intel-intrinsics', 'config LIBINTEL_INTRINSICS\n\tbool "intrinsics"\n'),
    library('app-helpers', 'config SOMETHING\n\tbool "something"\n'),
  ]);
  expect(await librarySymbols(libraries)).toEqual({
    CONFIG_LIBLWIP: 'y',
    CONFIG_LIBELF: 'y',
    CONFIG_LIBINTEL_INTRINSICS: 'y',
  });
});
