import { readFile, realpath, writeFile } from 'node:fs/promises';
import { replaceAtomically } from '@nx-kraft/base';
import { changeInMenus } from '@nx-kraft/kernel';
import { type Kraftfile, type KconfigPlace, type Target, setKconfig, unsetKconfig } from '@nx-kraft/kraftfile';
import { hostTarget } from './host-target.ts';
import { findTarget, loadKraftproject, plannedTargets, ProjectFault } from './kraftproject.ts';
import type { NetworkOptions } from './network.ts';
import { planKernel } from './plan-kernel.ts';
import { tell } from './task.ts';

export interface MenuconfigOptions extends NetworkOptions {
  /** The Kraftfile, relative to the workspace. */
  readonly kraftfile: string;
  /** The target's id; default: the host's best. */
  readonly for?: string;
}

/**
 * Shows the core's menus on the terminal and writes what was changed there to the Kraftfile: an option that it has stays
 * where it is, a new one goes to `unikraft`, for all targets.
 */
export async function changeConfig(root: string, options: MenuconfigOptions, signal: AbortSignal): Promise<void> {
  const project = await loadKraftproject(root, options.kraftfile);
  if (!process.stdin.isTTY) {
    throw new ProjectFault('NO_TERMINAL', 'menus need a terminal', {
      at: project.file,
      hint: 'Run it by itself in a terminal, or use the task set: nx run APP:set CONFIG_X=y.',
    });
  }
  const target = findTarget(project, options.for ?? hostTarget(plannedTargets(project.kraftfile))?.id ?? '');
  const { plan, downloads } = await planKernel(root, project, target, options, signal, 'config');
  const changes = await changeInMenus(plan, { signal, downloads });

  const before = await readFile(project.file, 'utf8');
  let text = before;
  for (const [symbol, value] of Object.entries(changes.set)) {
    text = setKconfig(text, placeOf(project.kraftfile, target, symbol) ?? 'unikraft', symbol, value, project.file);
    tell(`${project.file}: ${symbol}=${value}`);
  }
  for (const symbol of changes.unset) {
    const place = placeOf(project.kraftfile, target, symbol);
    // What the Kraftfile does not say itself comes from a template or the target; only a value can take it away.
    text =
      place === undefined
        ? setKconfig(text, 'unikraft', symbol, 'n', project.file)
        : unsetKconfig(text, place, symbol, project.file);
    tell(`${project.file}: ${symbol} is not set any more`);
  }
  if (text === before) tell('Nothing was changed.');
  else await replaceAtomically(await realpath(project.file), (temporary) => writeFile(temporary, text));
}

/** Where the Kraftfile sets an option for a target. */
function placeOf({ unikraft, libraries }: Kraftfile, target: Target, symbol: string): KconfigPlace | undefined {
  if (symbol in target.kconfig) return { target: target.id };
  const library = libraries.find(({ kconfig }) => symbol in kconfig);
  if (library !== undefined) return { library: library.name };
  return unikraft !== undefined && symbol in unikraft.kconfig ? 'unikraft' : undefined;
}
