import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { dataFile, readIfThere, writeWhole } from '../inference/workspace-data.ts';

/**
 * Starts a guard for one run of Nx, in a process of its own since Nx ends those of plugins early, and gives the variables
 * with which Nx asks it instead of the remote cache; none when Nx already runs behind a guard.
 *
 * @param id  Nx's name of the run
 */
export async function openGuard(
  workspaceRoot: string,
  id: string,
  env: NodeJS.ProcessEnv,
): Promise<Readonly<Record<string, string>>> {
  if (env.NX_SELF_HOSTED_REMOTE_CACHE_SERVER === env.NX_KRAFT_CACHE_GUARD) return {};
  const address = await startProcess(env);
  writeWhole(addressFile(workspaceRoot, id), address);
  return { NX_SELF_HOSTED_REMOTE_CACHE_SERVER: address, NX_KRAFT_CACHE_GUARD: address, ...pastProxies(env) };
}

/** Ends the guard of a run and gives the trouble that it had; nothing for a run without a guard. */
export async function closeGuard(workspaceRoot: string, id: string): Promise<readonly string[]> {
  const file = addressFile(workspaceRoot, id);
  const address = readIfThere(file);
  if (address === undefined) return [];
  rmSync(file, { force: true });
  const response = await fetch(address, { method: 'DELETE' });
  return (await response.json()) as string[];
}

function addressFile(workspaceRoot: string, id: string): string {
  return dataFile(workspaceRoot, `nx-kraft-guard-${id.replaceAll(/\W/g, '')}`);
}

function startProcess(env: NodeJS.ProcessEnv): Promise<string> {
  // A plugin runs in a process of Nx's, or in one that Nx has started for it and may end before the tasks.
  const owner = process.argv[1]?.includes('plugin-worker') ? process.ppid : process.pid;
  const program = join(import.meta.dirname, `guard-process${extname(import.meta.filename)}`);
  const child = spawn(process.execPath, [program, String(owner)], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...env },
  });
  child.unref();
  return new Promise((done, fail) => {
    child.once('error', fail).once('exit', () => fail(new Error('the guard of the remote cache did not start')));
    createInterface(child.stdout).once('line', (address) => {
      child.removeAllListeners();
      child.stdout.destroy();
      done(address);
    });
  });
}

/** Nx asks through the proxy that the environment names, which must not be asked for this machine itself. */
function pastProxies({ NO_PROXY, no_proxy = NO_PROXY, ...env }: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  const proxies = [env.HTTP_PROXY, env.http_proxy, env.ALL_PROXY, env.all_proxy];
  if (!proxies.some(Boolean)) return {};
  const exceptions = [...(no_proxy ? [no_proxy] : []), '127.0.0.1'].join(',');
  return { NO_PROXY: exceptions, no_proxy: exceptions };
}
