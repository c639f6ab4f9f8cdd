import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockFileName } from '../tasks/files.ts';

/**
 * The fields that `kraft.lock` has, such as `components.lib/musl@stable`. It is read on every command, so nothing of it
 * is checked here; of one that is missing or broken the tasks that need it tell.
 */
export function readLockFields(workspaceRoot: string): ReadonlySet<string> {
  const { components = {}, images = {} } = readLock(join(workspaceRoot, lockFileName));
  return new Set([
    ...Object.keys(components).map((name) => `components.${name}`),
    ...Object.keys(images).map((name) => `images.${name}`),
  ]);
}

function readLock(file: string): { readonly components?: object; readonly images?: object } {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as { components?: object; images?: object };
  } catch {
    return {};
  }
}
