import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { regularFile } from '@nx-kraft/base';
import { KernelFault } from './fault.ts';
import { exists } from './files.ts';
import { mergeKconfig } from './kconfig.ts';
import { makeRunner, type Make } from './make.ts';
import { choosePlace, type Folders, type Place } from './place.ts';
import type { BuildOptions, KernelPlan } from './plan.ts';
import { imageBaseName } from './shared-objects.ts';
import { countLevelsUp } from './build-files.ts';
import { isCompiled, listSources } from './source-list.ts';

/** Where a kernel is configured and built. */
export interface Workshop {
  /** What is to be built, with what only this place knows of it. */
  readonly plan: KernelPlan;
  readonly place: Place;
  /** The folder of objects, on this machine. */
  readonly objects: string;
  readonly make: Make;
}

export async function openWorkshop(plan: KernelPlan, options: BuildOptions): Promise<Workshop> {
  const objects = objectsFolder(plan);
  const place = await choosePlace(await gatherFolders(plan, objects), join(plan.workFolder, 'stage'));
  return { plan: atPlace(plan, place), place, objects, make: makeRunner(plan, options, place) };
}

export function objectsFolder({ workFolder }: KernelPlan): string {
  return join(workFolder, 'objects');
}

/** @throws KernelFault KERNEL_NO_CORE or KERNEL_NO_LIBRARY; FileFault for a source that compilers would wait for */
export async function requireSources(plan: KernelPlan): Promise<void> {
  if (!(await exists(join(plan.core.folder, 'Makefile')))) {
    throw new KernelFault('KERNEL_NO_CORE', 'this folder holds no Unikraft core: it has no Makefile', {
      at: plan.core.folder,
      hint: "Check the Kraftfile's unikraft element.",
    });
  }
  for (const { name, folder } of plan.libraries) {
    if (await exists(join(folder, 'Makefile.uk'))) continue;
    throw new KernelFault('KERNEL_NO_LIBRARY', `library ${name} has no Makefile.uk`, {
      at: folder,
      hint: "Check the library's source in the Kraftfile.",
    });
  }
  const local = plan.libraries.filter(({ digest }) => digest === undefined);
  for (const folder of [plan.application, ...local.map((library) => library.folder)]) {
    // Other pipes may well lie there, such as that of a console.
    for (const path of listSources(folder).filter(isCompiled)) regularFile(join(folder, path));
  }
}

/**
 * The folders that make sees, and where the application is among them. An application without a Makefile.uk gets an
 * empty one, but not in its own folder. One whose build files or links go up with `../` is seen together with the folders
 * around it, as far up as they go, and so is a local library.
 */
async function gatherFolders(plan: KernelPlan, objects: string): Promise<Folders> {
  await mkdir(objects, { recursive: true });
  let application = plan.application;
  if (!(await exists(join(application, 'Makefile.uk')))) {
    application = join(plan.workFolder, 'application');
    await mkdir(application, { recursive: true });
    await writeFile(join(application, 'Makefile.uk'), '');
  }
  const libraries = plan.libraries.map(({ name, folder, digest }) => [
    `lib/${name}`,
    digest === undefined ? withAround(folder) : folder,
  ]);
  return {
    core: plan.core.folder,
    app: withAround(application, plan.apart),
    objects,
    ...(Object.fromEntries(libraries) as Folders),
    ...(plan.embeddedRootfs === undefined ? {} : { rootfs: dirname(plan.embeddedRootfs) }),
  };
}

function withAround(folder: string, apart?: readonly string[]): Folders[string] {
  const around = resolve(folder, '../'.repeat(countLevelsUp(folder, apart)));
  return { folder: around, inside: relative(around, folder) };
}

/**
 * The plan as make gets it: the image has its fixed name whatever the Kraftfile says, and a kernel that embeds its root
 * file system is told where it lies, unless the Kraftfile does.
 */
function atPlace(plan: KernelPlan, place: Place): KernelPlan {
  const rootfs =
    plan.embeddedRootfs === undefined
      ? {}
      : { CONFIG_LIBVFSCORE_AUTOMOUNT_EINITRD_PATH: join(place.path('rootfs'), basename(plan.embeddedRootfs)) };
  return { ...plan, kconfig: mergeKconfig(rootfs, plan.kconfig, { CONFIG_UK_NAME: imageBaseName }) };
}
