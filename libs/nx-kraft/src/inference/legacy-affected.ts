import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { NxJsonConfiguration } from '@nx/devkit';
import { hasErrorCode } from '@nx-kraft/base';

/**
 * Whether `nx affected` takes whole projects by the names of changed files, and not tasks by their inputs: as Nx 23 does, and
 * Nx 24 with `affected.legacy`, which its migration sets. It knows no fields of a file then, only files as a whole.
 */
export function affectsWholeProjects(
  workspaceRoot: string,
  nxJson: NxJsonConfiguration,
  env: NodeJS.ProcessEnv = process.env,
): boolean {
  // It wins over nx.json, as in Nx.
  const { NX_LEGACY_AFFECTED: chosen = '' } = env;
  if (majorOfNx(workspaceRoot) < 24) return true;
  return ['true', 'false'].includes(chosen) ? chosen === 'true' : nxJson.affected?.legacy === true;
}

function majorOfNx(workspaceRoot: string): number {
  try {
    const manifest = createRequire(join(workspaceRoot, 'package.json')).resolve('nx/package.json');
    return Number.parseInt((JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version, 10);
  } catch (error) {
    // An Nx from elsewhere runs here: the newest, as far as is known.
    if (hasErrorCode(error, 'MODULE_NOT_FOUND')) return Infinity;
    throw error;
  }
}
