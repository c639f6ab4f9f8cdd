import { appendFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeApplication, planOf, useFolders } from '../test/sample.ts';
import { buildKernel } from './build.ts';
import { digestFile } from './sources.ts';
import { verifyReproducible } from './verify-reproducible.ts';

const folders = useFolders();

test('a kernel that is the same from both builds is the one that a usual build gives', async () => {
  const plan = planOf(await makeApplication(join(folders.test, 'app')));
  const digest = await verifyReproducible(plan, join(plan.application, '.unikraft/verify'), {});
  await buildKernel(plan);
  expect(digest).toBe(`sha256:${await digestFile(plan.output.kernel)}`);
});

test('what differs is told: the file, its first section, and the object that it comes from', async () => {
  const plan = planOf(await makeApplication(join(folders.test, 'app')));
  const source = 'const volatile char built[] = NOW;\nint other(void) { return built[0] == 0; }\n';
  await writeFile(join(plan.application, 'other.c'), source);
  // As many real build files do it: the time of the build, in a flag.
  await appendFile(join(plan.application, 'Makefile.uk'), 'APPSAMPLE_CFLAGS-y += -DNOW=\'"$(shell date +%s%N)"\'\n');
  const folder = join(folders.test, 'verify');
  await expect(verifyReproducible(plan, folder, {})).rejects.toMatchObject({
    code: 'KERNEL_NOT_REPRODUCIBLE',
    message: expect.stringMatching(
      /^two builds differ: k first in \.\S+, which comes from appsample\/other\.o$/,
    ) as string,
  });
  // Both builds stay, to be compared.
  expect(await readdir(folder)).toEqual(['one', 'somewhere']);
});
