import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { ComponentFault } from './fault.ts';
import { ignoreFailure, runLocal } from './git-run.ts';
import { hideCredentials, isFileUrl, isGitAddress } from './url.ts';

/** A repository within a repository. */
export interface Submodule {
  /** Relative to the checkout. */
  readonly path: string;
  readonly url: string;
  readonly revision: string;
}

/** The submodules of a commit that is checked out at `folder`; their URLs may be relative to its own. */
export async function listSubmodules({
  url,
  revision,
  repository,
  folder,
  signal,
}: {
  readonly url: string;
  readonly revision: string;
  readonly repository: string;
  readonly folder: string;
  readonly signal: AbortSignal | undefined;
}): Promise<readonly Submodule[]> {
  if (!existsSync(join(folder, '.gitmodules'))) return [];
  const options = { cwd: repository, signal };
  const settings = ['config', `--blob=${revision}:.gitmodules`, '--get-regexp', '^submodule\\..*\\.(path|url)$'];
  const modules = parseModules((await runLocal(settings, options).catch(ignoreFailure)) ?? '');
  const found: Submodule[] = [];
  for (const { path, url: address } of modules) {
    const entry = (await runLocal(['ls-tree', revision, '--', path], options).catch(ignoreFailure)) ?? '';
    const [, commit] = /^160000 commit (\S+)\t/.exec(entry) ?? [];
    if (commit !== undefined && (await isOwnFolder(folder, path)))
      found.push({ path, url: resolveModuleUrl(url, address), revision: commit });
  }
  return found;
}

/** Whether git made this folder: a forged commit could have a link in its place. */
async function isOwnFolder(folder: string, path: string): Promise<boolean> {
  return (await realpath(join(folder, path))) === join(await realpath(folder), path);
}

function parseModules(settings: string): readonly { readonly path: string; readonly url: string }[] {
  const modules = new Map<string, { path?: string; url?: string }>();
  for (const line of settings.split('\n')) {
    const [, name, key, value] = /^submodule\.(.+)\.(path|url) (.+)$/.exec(line) ?? [];
    if (name !== undefined && key !== undefined) modules.set(name, { ...modules.get(name), [key]: value });
  }
  return [...modules.values()].flatMap(({ path, url }) => (path && url ? [{ path, url }] : []));
}

/**
 * The whole URL of a submodule: `../other.git` is beside its parent's repository. A remote repository cannot make git
 * read files of this machine or run programs.
 */
export function resolveModuleUrl(parent: string, url: string): string {
  const whole = /^\.\.?\//.test(url) ? joinUrl(parent, url) : url;
  if (isGitAddress(whole) || (isFileUrl(whole) && isFileUrl(parent))) return whole;
  throw new ComponentFault('COMPONENT_BAD_NAME', `its submodule's URL '${hideCredentials(url)}' cannot be used`, {
    at: hideCredentials(parent),
  });
}

function joinUrl(parent: string, relative: string): string {
  let base = parent.replace(/\/$/, '');
  let rest = relative;
  for (let step = /^\.\.?\//.exec(rest); step !== null; step = /^\.\.?\//.exec(rest)) {
    if (step[0] === '../') base = base.replace(/[/:][^/:]*$/, '');
    rest = rest.slice(step[0].length);
  }
  return `${base}/${rest}`;
}
