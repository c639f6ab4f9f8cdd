import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Task } from '@nx/devkit';
import { isMissingModule } from '../nx.ts';
import { findDamage, inCache } from './seal.ts';

/** A task whose results have a seal. Nx tells its hash only to whom it reports results. */
export type SealedTask = Pick<Task, 'id' | 'target' | 'outputs' | 'overrides'> & { readonly hash?: string | undefined };

/** Whether Nx's cache of this machine has of a task what that made. */
export async function hasWholeEntry(workspaceRoot: string, { hash, outputs }: SealedTask): Promise<boolean> {
  if (hash === undefined) return false;
  const entry = join(await cacheFolder(), hash);
  return (await findDamage(inCache(workspaceRoot, entry), outputs)) === undefined;
}

/** Removes what Nx's cache of this machine has of a task, where that is not what it made. */
export async function removeDamagedEntries(workspaceRoot: string, { hash, outputs }: SealedTask): Promise<void> {
  const folder = await cacheFolder();
  const names = hash !== undefined ? [hash] : existsSync(folder) ? await readdir(folder) : [];
  for (const entry of names.map((name) => join(folder, name))) {
    if (hash === undefined && !outputs.some((output) => existsSync(join(entry, output)))) continue;
    const damage = await findDamage(inCache(workspaceRoot, entry), outputs);
    if (damage !== undefined) await rm(entry, { recursive: true, force: true });
  }
}

async function cacheFolder(): Promise<string> {
  try {
    return (await import('nx/src/utils/cache-directory.js')).cacheDir;
  } catch (error) {
    if (!isMissingModule(error)) throw error;
    // The public way loads most of Nx.
    return (await import('@nx/devkit')).cacheDir;
  }
}
