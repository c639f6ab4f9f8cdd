import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeApplication, planOf, useFolders } from '../test/sample.ts';
import { configureKernel } from './configure.ts';

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
