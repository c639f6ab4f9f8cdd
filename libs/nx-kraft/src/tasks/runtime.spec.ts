import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ImageStore, packageImage } from '@nx-kraft/oci';
import { findTarget, loadKraftproject } from './kraftproject.ts';
import { planMachine } from './machine-plan.ts';
import { takeRuntime } from './runtime.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runtime-'));
  vi.stubEnv('NX_KRAFT_IMAGES', join(folder, 'images'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

test('each target has the initrd that its runtime has for it, also where architectures are the same', async () => {
  const platforms = ['qemu', 'fc'];
  const targets = await Promise.all(
    platforms.map(async (platform) => {
      const [kernel, initrd] = [join(folder, platform), join(folder, `${platform}.cpio`)];
      for (const path of [kernel, initrd]) await writeFile(path, `of ${platform}`);
      return { platform, architecture: 'x86_64', kernel, initrd, kconfig: {} };
    }),
  );
  const layout = join(folder, 'layout');
  await packageImage({ reference: 'example.com/base:1', toolVersion: 'test', targets }, layout);
  await (await ImageStore.open(join(folder, 'images'))).addLayout(layout);

  await mkdir(join(folder, 'app'));
  const text = 'spec: v0.6\nruntime: example.com/base:1\ntargets: [qemu/x86_64, fc/x86_64]\n';
  await writeFile(join(folder, 'app/Kraftfile'), text);
  const project = await loadKraftproject(folder, 'app/Kraftfile');
  for (const { id } of project.kraftfile.targets) {
    await takeRuntime(folder, project, findTarget(project, id), { offline: true });
  }
  for (const platform of platforms) {
    const { initrd = '' } = await planMachine(project, { for: `${platform}-x86_64` });
    expect(await readFile(initrd, 'utf8')).toBe(`of ${platform}`);
  }
});
