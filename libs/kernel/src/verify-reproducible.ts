import { copyFile, cp, mkdir, open, readdir, rm, type FileHandle } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { buildKernel } from './build.ts';
import { KernelFault } from './fault.ts';
import type { BuildOptions, KernelPlan } from './plan.ts';
import { readSections } from './sections.ts';
import { digestFile } from './sources.ts';
import { countLevelsUp } from './build-files.ts';
import { objectsFolder } from './workshop.ts';

/**
 * Builds a kernel twice, from nothing and in different surroundings: another path of the application, of the objects
 * and of the results, another time, time zone, language, home, user's mask and number of jobs. Then compares all bits.
 *
 * @param folder  where to build; it is emptied before
 * @returns the digest of the kernel that both builds gave, as `sha256:…`
 * @throws KernelFault KERNEL_NOT_REPRODUCIBLE with the first section and the first object file that differ
 */
export async function verifyReproducible(plan: KernelPlan, folder: string, options: BuildOptions): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  const here = await buildIn(plan, join(folder, 'one'), { ...options, jobs: 1 }, 0o022, {
    TZ: 'UTC',
    HOME: '/nonexistent',
    LANG: 'C',
  });
  const there = await buildIn(plan, join(folder, 'somewhere/with a longer path'), { ...options, jobs: 3 }, 0o077, {
    TZ: 'Asia/Kathmandu',
    HOME: folder,
    LANG: 'C.UTF-8',
  });
  for (const result of ['kernel', 'debugKernel', 'config', 'map'] as const) {
    const [one, other] = [here.output[result], there.output[result]];
    const at = await firstDifference(one, other);
    if (at === undefined) continue;
    const section = result.endsWith('ernel') ? await differingSection(one, other) : undefined;
    const object = await differingObject(objectsFolder(here), objectsFolder(there), section);
    throw new KernelFault(
      'KERNEL_NOT_REPRODUCIBLE',
      `two builds differ: ${basename(one)} first in ${section ?? `byte ${at}`}` +
        (object === undefined ? '' : `, which comes from ${object}`),
      { at: one, hint: `Compare it with ${other}: is a date, a path or a random number compiled into the sources?` },
    );
  }
  return `sha256:${await digestFile(here.output.kernel)}`;
}

async function buildIn(
  plan: KernelPlan,
  folder: string,
  options: BuildOptions,
  mask: number,
  environment: Readonly<Record<string, string>>,
): Promise<KernelPlan> {
  await mkdir(folder, { recursive: true });
  const application = await moveApplication(plan, join(folder, 'application'));
  const named = (path: string): string => join(folder, basename(path));
  const { kernel, debugKernel, config, map, sizes } = plan.output;
  const moved: KernelPlan = {
    ...plan,
    application,
    workFolder: join(folder, 'work'),
    output: {
      kernel: named(kernel),
      debugKernel: named(debugKernel),
      config: named(config),
      map: named(map),
      sizes: named(sizes),
    },
    ...(plan.embeddedRootfs === undefined ? {} : { embeddedRootfs: named(plan.embeddedRootfs) }),
  };
  if (plan.embeddedRootfs !== undefined) await copyFile(plan.embeddedRootfs, named(plan.embeddedRootfs));
  const before = process.umask(mask);
  try {
    await buildKernel(moved, { ...options, share: false, environment });
  } finally {
    process.umask(before);
  }
  return moved;
}

/** Copies an application, unless it reaches out of its folder: what it reaches for is not there in another place. */
async function moveApplication({ application: from, apart }: KernelPlan, to: string): Promise<string> {
  if (countLevelsUp(from, apart) > 0) return from;
  const isSource = (name: string): boolean => !['.unikraft', '.git', 'node_modules'].includes(name);
  for (const name of (await readdir(from)).filter(isSource)) {
    await cp(join(from, name), join(to, name), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => isSource(basename(path)),
    });
  }
  return to;
}

/** Where two files differ first, as an offset in bytes; undefined when they are the same. */
async function firstDifference(one: string, other: string): Promise<number | undefined> {
  const files = [await open(one), await open(other)] as const;
  const buffers = [Buffer.alloc(chunk), Buffer.alloc(chunk)] as const;
  try {
    for (let offset = 0; ; offset += chunk) {
      const [left, right] = await Promise.all([
        readPart(files[0], buffers[0], offset),
        readPart(files[1], buffers[1], offset),
      ]);
      if (!left.equals(right)) {
        const index = left.findIndex((byte, at) => byte !== right[at]);
        return offset + (index === -1 ? left.length : index);
      }
      if (left.length === 0) return undefined;
    }
  } finally {
    await Promise.all(files.map((file) => file.close()));
  }
}

const chunk = 64 * 1024;

async function readPart(file: FileHandle, buffer: Buffer, offset: number): Promise<Buffer> {
  const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
  return buffer.subarray(0, bytesRead);
}

/** The name of the first section, in the order of the file, that two ELF files do not have in common. */
async function differingSection(one: string, other: string): Promise<string | undefined> {
  return (await differingSections(one, other))[0];
}

async function differingSections(one: string, other: string): Promise<readonly string[]> {
  const [left, right] = [await readSections(one), await readSections(other)];
  const names = new Set([...left, ...right].map(({ name }) => name));
  return [...names].filter((name) => digestOf(left, name) !== digestOf(right, name));
}

function digestOf(sections: Awaited<ReturnType<typeof readSections>>, name: string): string | undefined {
  return sections.find((section) => section.name === name)?.digest;
}

/**
 * The first object of a source file that two folders of objects do not have in common, relative to them: one that
 * differs in what goes into a section of the image, rather than one that differs in its debug information alone.
 */
async function differingObject(one: string, other: string, section?: string): Promise<string | undefined> {
  const entries = await readdir(one, { recursive: true, withFileTypes: true });
  const objects = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.o') && entry.parentPath !== one)
    .map((entry) => join(entry.parentPath, entry.name).slice(one.length + 1))
    .toSorted();
  let first: string | undefined;
  for (const object of objects) {
    const both = [join(one, object), join(other, object)] as const;
    if ((await firstDifference(...both)) === undefined) continue;
    first ??= object;
    const goesThere = (name: string): boolean => name === section || name.startsWith(`${section}.`);
    if (section === undefined || (await differingSections(...both)).some(goesThere)) return object;
  }
  return first;
}
