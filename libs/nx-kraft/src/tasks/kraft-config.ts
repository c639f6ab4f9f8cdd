import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { hasErrorCode } from '@nx-kraft/base';

/**
 * BuildKit's address for users who set it for `kraft`: in KRAFTKIT_BUILDKIT_HOST, else as `buildkit_host` in its
 * `config.yaml`.
 */
export function buildkitHost(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const given = env.KRAFTKIT_BUILDKIT_HOST ?? '';
  if (given !== '') return given;
  const folder = env.KRAFTKIT_CONFIG_DIR ?? join(env.XDG_CONFIG_HOME ?? join(homedir(), '.config'), 'kraftkit');
  return /^buildkit_host:[ \t]*(["']?)([a-z-]+:\/\/\S*?)\1[ \t]*(#.*)?$/m.exec(readConfig(folder))?.[2];
}

function readConfig(folder: string): string {
  try {
    return readFileSync(join(folder, 'config.yaml'), 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return '';
    throw error;
  }
}
