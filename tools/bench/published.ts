import { cp, mkdir, readdir, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const repository = resolve(import.meta.dirname, '../..');

/**
 * Installs the packages in a folder as they would come from the registry, beside what this repository has from there. They
 * must have been made by `nx run nx-kraft-workspace:dist`.
 */
export async function installPublished(folder: string): Promise<void> {
  const [modules, dist] = [await installOthers(folder), join(repository, 'dist')];
  for (const room of await readdir(dist)) {
    const place = room === 'nx-kraft' ? room : join('@nx-kraft', room);
    await cp(join(dist, room), join(modules, place), { recursive: true });
  }
}

/** Installs in a folder what this repository has from the registry, and gives the folder of it. */
export async function installOthers(folder: string): Promise<string> {
  const modules = join(folder, 'node_modules');
  await mkdir(modules, { recursive: true });
  for (const name of await readdir(join(repository, 'node_modules'))) {
    if (name === 'nx-kraft' || name === '@nx-kraft') continue;
    await symlink(join(repository, 'node_modules', name), join(modules, name));
  }
  return modules;
}
