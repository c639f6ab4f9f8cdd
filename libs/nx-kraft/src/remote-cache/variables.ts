import { startGuard } from './guard.ts';

/** Guards that run already, by what they stand before: Nx's daemon keeps this module loaded. */
const guards = new Map<string, Promise<string>>();

/**
 * The variables with which Nx asks a guard instead of the remote cache itself; none without a remote cache.
 * `NX_KRAFT_CACHE_SECRET` is what the team's seals are made with, `NX_KRAFT_CACHE_TIMEOUT` how many seconds the server may
 * say nothing.
 */
export async function guardVariables(env: NodeJS.ProcessEnv): Promise<Readonly<Record<string, string>>> {
  const { NX_SELF_HOSTED_REMOTE_CACHE_SERVER: server, NX_KRAFT_CACHE_SECRET: secret = '' } = env;
  if (!server || (await Promise.all(guards.values())).includes(server)) return {};
  const timeout = Number(env.NX_KRAFT_CACHE_TIMEOUT ?? 10) * 1000;
  const key = JSON.stringify([server, secret, timeout]);
  const guard = guards.get(key) ?? startGuard({ server, secret, timeout, onTrouble });
  guards.set(key, guard);
  return { NX_SELF_HOSTED_REMOTE_CACHE_SERVER: await guard, ...pastProxies(env) };
}

function onTrouble(message: string): void {
  process.stderr.write(`warning: the remote cache: ${message}\n`);
}

/** Nx asks through the proxy that the environment names, which must not be asked for this machine itself. */
function pastProxies({ NO_PROXY, no_proxy = NO_PROXY, ...env }: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  const proxies = [env.HTTP_PROXY, env.http_proxy, env.ALL_PROXY, env.all_proxy];
  if (!proxies.some(Boolean)) return {};
  const exceptions = [...(no_proxy ? [no_proxy] : []), '127.0.0.1'].join(',');
  return { NO_PROXY: exceptions, no_proxy: exceptions };
}
