import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageImage } from '../src/package-image.ts';
import type { PackagedImage, PackagePlan, PackageTarget } from '../src/package-plan.ts';

/** Packages an image of small files in `folder`, with a kernel of its own content, into the layout `folder/NAME`. */
export async function makeImage(
  folder: string,
  name: string,
  { kernel = 'KERNEL\n', targets = [{}], ...plan }: Partial<Omit<PackagePlan, 'targets'>> & TestTargets = {},
): Promise<PackagedImage & { readonly layoutFolder: string }> {
  const layoutFolder = join(folder, name);
  await writeFile(`${layoutFolder}.kernel`, kernel);
  await writeFile(`${layoutFolder}.initrd`, 'INITRD\n');
  const standard = {
    architecture: 'x86_64',
    platform: 'qemu',
    kernel: `${layoutFolder}.kernel`,
    initrd: `${layoutFolder}.initrd`,
    command: ['/server'],
  };
  const image = await packageImage(
    {
      reference: `unikraft.org/${name}:latest`,
      toolVersion: 'test',
      ...plan,
      targets: targets.map((target) => ({ ...standard, ...target })),
    },
    layoutFolder,
  );
  return { ...image, layoutFolder };
}

interface TestTargets {
  readonly kernel?: string | Buffer;
  readonly targets?: readonly Partial<PackageTarget>[];
}
