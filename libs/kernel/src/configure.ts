import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from '@nx-kraft/base';
import { readDeclarations } from './config-files.ts';
import { explainDropped, type ExplainedOption, sourceFolders } from './explain.ts';
import { KernelFault } from './fault.ts';
import { findDroppedOptions, formatFragment, parseConfig, type Kconfig } from './kconfig.ts';
import type { BuildOptions, KernelPlan } from './plan.ts';
import { objectsFolder, openWorkshop, requireSources, type Workshop } from './workshop.ts';

/** A configuration as KConfig finished it. */
export interface Configured {
  readonly config: Kconfig;
  /** Options that were asked for and that KConfig did not take. */
  readonly dropped: readonly ExplainedOption[];
}

/** Has KConfig finish the configuration of a kernel, and builds nothing. @throws KernelFault */
export async function configureKernel(plan: KernelPlan, options: BuildOptions = {}): Promise<Configured> {
  return configureAnew(plan, options, ({ config, dropped }) => Promise.resolve({ config, dropped }));
}

/** What was changed in menus, as few options as KConfig needs to get there again. */
export interface MenuChanges {
  readonly set: Kconfig;
  readonly unset: readonly string[];
}

/**
 * Shows the core's own menus on this terminal, and tells what was changed there.
 *
 * @throws KernelFault
 */
export async function changeInMenus(plan: KernelPlan, options: BuildOptions = {}): Promise<MenuChanges> {
  return configureAnew(plan, options, async (_, workshop) => {
    const before = await saveFragment(workshop);
    await workshop.make(['menuconfig'], 'terminal');
    const after = await saveFragment(workshop);
    const changed = Object.entries(after).filter(([symbol, value]) => before[symbol] !== value);
    return {
      set: Object.fromEntries(changed),
      unset: Object.keys(before).filter((symbol) => after[symbol] === undefined),
    };
  });
}

/** Writes what is asked for into the objects folder, and has KConfig make the whole configuration of it. */
export async function configure({ plan, objects, make }: Workshop): Promise<string> {
  const declarations = await readDeclarations(sourceFolders(plan));
  const strings = declarations.filter(({ type }) => type === 'string').map(({ symbol }) => symbol);
  await writeFile(join(objects, 'fragment'), formatFragment(plan.kconfig, new Set(strings)));
  try {
    await make(['defconfig']);
  } catch (error) {
    if (!(error instanceof KernelFault) || error.code === 'KERNEL_STOPPED') throw error;
    throw new KernelFault('KERNEL_CONFIGURE_FAILED', `the configuration failed: ${error.message}`, {
      at: error.at,
      hint: error.hint,
      cause: error,
    });
  }
  return readFile(join(objects, '.config'), 'utf8');
}

/** Configures in the plan's work folder, which must be another than that of its builds, from nothing. */
async function configureAnew<Result>(
  plan: KernelPlan,
  options: BuildOptions,
  use: (configured: Configured, workshop: Workshop) => Promise<Result>,
): Promise<Result> {
  await requireSources(plan);
  return withLock(
    join(plan.workFolder, 'lock'),
    async () => {
      await rm(objectsFolder(plan), { recursive: true, force: true });
      const workshop = await openWorkshop(plan, options);
      const config = parseConfig(await configure(workshop));
      const dropped = await explainDropped(findDroppedOptions(plan.kconfig, config), config, plan);
      return use({ config, dropped }, workshop);
    },
    { timeout: Infinity },
  );
}

/** The options that differ from KConfig's defaults, which is what `savedefconfig` writes. */
async function saveFragment({ objects, place, make }: Workshop): Promise<Kconfig> {
  const name = 'saved';
  await make([`DEFCONFIG=${join(place.path('objects'), name)}`, 'savedefconfig']);
  return parseConfig(await readFile(join(objects, name), 'utf8'));
}
