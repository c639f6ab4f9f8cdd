import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The folder of this package. */
export const packageFolder = resolve(import.meta.dirname, '../..');

/** The version of the plugin. */
export const { version: pluginVersion } = JSON.parse(readFileSync(resolve(packageFolder, 'package.json'), 'utf8')) as {
  version: string;
};

/**
 * What the plugin's own memory on disk depends on: its version, and while it runs from its sources, when they last
 * changed.
 */
export function pluginState(): string {
  if (!import.meta.filename.endsWith('.ts')) return pluginVersion;
  const libs = resolve(packageFolder, '..');
  const folders = [
    ...['kraftfile/src', 'rootfs/src', 'rootfs/src/dockerfile'].map((folder) => join(libs, folder)),
    ...['src/inference', 'src/tasks'].map((folder) => join(packageFolder, folder)),
  ];
  const times = folders.flatMap((folder) => readdirSync(folder).map((name) => statSync(join(folder, name)).mtimeMs));
  return `${pluginVersion}-${Math.max(...times)}`;
}
