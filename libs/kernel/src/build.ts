import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrorCode, replaceAtomically, withLock } from '@nx-kraft/base';
import { configure } from './configure.ts';
import { noSpace } from './diagnose.ts';
import { explainDropped } from './explain.ts';
import { KernelFault } from './fault.ts';
import { exists, readIfThere } from './files.ts';
import { listFollowed } from './followed-files.ts';
import { findDroppedOptions, type Kconfig, parseConfig } from './kconfig.ts';
import type { BuildOptions, BuiltKernel, KernelPlan } from './plan.ts';
import { imageBaseName, mapName, shareObjects, takeSharedObjects } from './shared-objects.ts';
import { readSizeReport, type SizeReport } from './size-report.ts';
import { requireCompiler } from './toolchain.ts';
import {
  canContinue,
  describeWork,
  digestSettings,
  sharedObjects,
  type Sharing,
  takesFromElsewhere,
} from './work-state.ts';
import { objectsFolder, openWorkshop, requireSources, type Workshop } from './workshop.ts';

/**
 * Configures and builds one kernel with Unikraft's own make and puts the kernel, its debug twin, its final
 * configuration, its map and its sizes at `plan.output`; older results stay whole until then. How objects are used again, and when they are
 * not, is told in `../README.md`.
 *
 * @throws KernelFault with the first real error of the compiler or linker, or what is missing
 */
export async function buildKernel(plan: KernelPlan, options: BuildOptions = {}): Promise<BuiltKernel> {
  await requireCompiler(plan.architecture, plan.toolchain);
  await requireSources(plan);
  try {
    await mkdir(plan.workFolder, { recursive: true });
    return await withLock(join(plan.workFolder, 'lock'), () => buildAlone(plan, options), { timeout: Infinity });
  } catch (error) {
    if (hasErrorCode(error, 'ENOSPC', 'EDQUOT')) throw noSpace(error);
    throw error;
  }
}

async function buildAlone(plan: KernelPlan, options: BuildOptions): Promise<BuiltKernel> {
  const beganAt = Date.now();
  const stateFile = join(plan.workFolder, 'state.json');
  const settings = await digestSettings(plan, options);
  const usable = await canContinue(plan, stateFile, settings);
  // Without a state the next build starts anew: this one may end half way through a file.
  await rm(stateFile, { force: true });
  if (!usable) await rm(objectsFolder(plan), { recursive: true, force: true });

  const workshop = await openWorkshop(plan, options);
  const { objects, place } = workshop;
  let read: ReadonlySet<string> = new Set();
  const writeState = async (): Promise<void> => {
    read = await listFollowed(workshop);
    const state = await describeWork(workshop.plan, read, settings, beganAt);
    if (state !== undefined) await writeFile(stateFile, state);
  };
  const finish = async (): Promise<Kconfig> => {
    const config = parseConfig((await readIfThere(join(objects, '.config'))) ?? (await configure(workshop)));
    const dropped = await explainDropped(findDroppedOptions(plan.kconfig, config), config, plan);
    options.onDropped?.(dropped);
    try {
      const total = options.onTotal === undefined || usable ? undefined : await countSteps(workshop);
      if (total !== undefined) options.onTotal?.(total);
      await workshop.make(['all']);
    } catch (error) {
      // A compiler leaves no half object behind, so what is there is good; another failure may have cut a file short.
      if (error instanceof KernelFault && error.code === 'KERNEL_COMPILE_FAILED') await writeState();
      throw error;
    }
    await writeState();
    return config;
  };
  const { config, shared } =
    usable || !place.canonical || options.share === false || takesFromElsewhere(plan)
      ? { config: await finish(), shared: false }
      : await buildSharing(await sharedObjects(plan, options), objects, place.whole('app'), finish);

  const sizes = await deliver(plan, objects);
  return { config, canonical: place.canonical, shared, sizes, read };
}

/**
 * How many steps make has to do, as it tells when it only pretends. No recipe runs then, so the shell may be one that
 * starts faster than bash, of which make needs hundreds. Undefined when that fails, which the build then tells better.
 */
async function countSteps({ make }: Workshop): Promise<number | undefined> {
  try {
    const output = await make(['--dry-run', 'SHELL=/bin/sh', 'all']);
    return output.match(/^\s*printf '? {2}%-7s/gm)?.length ?? 0;
  } catch (error) {
    if (error instanceof KernelFault && error.code !== 'KERNEL_STOPPED') return undefined;
    throw error;
  }
}

/**
 * Builds from shared objects if there are some, else shares those of this build. Builds of one configuration that
 * start at the same time wait for the first of them instead of all compiling the same.
 */
async function buildSharing(
  { shared, own }: Sharing,
  objects: string,
  application: string,
  finish: () => Promise<Kconfig>,
): Promise<{ config: Kconfig; shared: boolean }> {
  const build = async () => {
    const taken = await takeSharedObjects(shared, objects);
    const config = await finish();
    if (!taken) await shareObjects(objects, shared, application, own);
    return { config, shared: taken };
  };
  await mkdir(objects, { recursive: true });
  return (await exists(shared)) ? build() : withLock(`${shared}.lock`, build, { timeout: Infinity });
}

async function deliver(plan: KernelPlan, objects: string): Promise<SizeReport> {
  const image = join(objects, imageName(plan));
  const map = join(objects, mapName);
  if (!(await exists(image))) {
    throw new KernelFault('KERNEL_NO_IMAGE', `make succeeded but gave no ${imageName(plan)}`, {
      at: plan.core.folder,
      hint: 'Does the configuration enable the platform of this target?',
    });
  }
  // For Xen on ARM the image is a copy without the form of ELF, which its debug twin has.
  const debugImage = (await exists(`${image}.elf.dbg`)) ? `${image}.elf.dbg` : `${image}.dbg`;
  const sizes = await readSizeReport(map, objects);
  const { output } = plan;
  await replaceAtomically(output.debugKernel, (path) => copyFile(debugImage, path));
  await replaceAtomically(output.config, (path) => copyFile(join(objects, '.config'), path));
  await replaceAtomically(output.map, (path) => copyFile(map, path));
  await replaceAtomically(output.sizes, (path) => writeFile(path, `${JSON.stringify(sizes, null, 2)}\n`));
  await replaceAtomically(output.kernel, (path) => copyFile(image, path));
  return sizes;
}

/** What make calls the result: Firecracker's kernels are named `fc` whatever cloud they go to. */
function imageName(plan: KernelPlan): string {
  const platform = plan.platform === 'kraftcloud' ? 'fc' : plan.platform;
  return `${imageBaseName}_${platform}-${plan.architecture}`;
}
