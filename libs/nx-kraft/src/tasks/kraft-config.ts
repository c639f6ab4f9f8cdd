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
  return /^buildkit_host:[ \t]*(["']?)([a-z-]+:\/\/\S*?)\1[ \t]*(#.*)?$/m.exec(readConfig(configFolder(env)))?.[2];
}

/** The user and token that `kraft login` has left for a registry in `auth` of its `config.yaml`. */
export function kraftLogin(
  registry: string,
  env: NodeJS.ProcessEnv = process.env,
): { readonly username: string; readonly password: string } | undefined {
  const auth = /^auth:[ \t]*\n((?:[ \t]+.*\n?|[ \t]*\n)*)/m.exec(readConfig(configFolder(env)))?.[1] ?? '';
  const [, ...entries] = auth.split(/^[ \t]+([^\s:]+):[ \t]*$/m);
  const entry = entries[entries.indexOf(registry) + 1];
  if (entry === undefined || !entries.includes(registry)) return undefined;
  const [username, password] = ['user', 'token'].map(
    (field) => new RegExp(`^[ \\t]+${field}:[ \\t]*(["']?)(.+?)\\1[ \\t]*$`, 'm').exec(entry)?.[2],
  );
  return username === undefined || password === undefined ? undefined : { username, password };
}

function configFolder(env: NodeJS.ProcessEnv): string {
  return env.KRAFTKIT_CONFIG_DIR ?? join(env.XDG_CONFIG_HOME ?? join(homedir(), '.config'), 'kraftkit');
}

function readConfig(folder: string): string {
  try {
    return readFileSync(join(folder, 'config.yaml'), 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return '';
    throw error;
  }
}
