import type { Check, Finding, Surroundings } from '../check.ts';

/** No task has such a key. */
const probeKey = 'nx-kraft-doctor';
/** How long the server may take to answer, in milliseconds. */
const patience = 5000;

/**
 * Asks for an entry that is not there and then sends it, by which the server tells what the token may do. See
 * https://nx.dev/docs/guides/tasks--caching/self-hosted-caching
 */
async function probeRemoteCache({ env }: Surroundings): Promise<Finding> {
  const server = env['NX_SELF_HOSTED_REMOTE_CACHE_SERVER'] ?? '';
  if (server === '') {
    const remedy = 'Set NX_SELF_HOSTED_REMOTE_CACHE_SERVER, or use Nx Cloud.';
    return { state: 'missing', detail: 'none is set', remedy };
  }
  try {
    const read = await ask(server, 'GET', env);
    if (read === 401 || read === 403) {
      const remedy = 'Correct NX_SELF_HOSTED_REMOTE_CACHE_ACCESS_TOKEN.';
      return { state: 'broken', detail: `${server} refuses the token (${read})`, remedy };
    }
    if (read !== 200 && read !== 404) return unreachable(server, `it answered ${read}`);
    // 409: the entry is there from the last time.
    const write = await ask(server, 'PUT', env);
    const rights = write === 200 || write === 202 || write === 409 ? 'reads and writes' : 'reads only';
    const seal = (env['NX_KRAFT_CACHE_SECRET'] ?? '') === '' ? 'without a secret' : 'with a secret';
    return { state: 'ok', detail: `${server}: the token ${rights}; entries are sealed ${seal}` };
  } catch (error) {
    return unreachable(server, error instanceof Error ? causeOf(error) : String(error));
  }
}

async function ask(server: string, method: 'GET' | 'PUT', env: NodeJS.ProcessEnv): Promise<number> {
  const token = env['NX_SELF_HOSTED_REMOTE_CACHE_ACCESS_TOKEN'] ?? '';
  const response = await fetch(`${server.replace(/\/$/, '')}/v1/cache/${probeKey}`, {
    method,
    signal: AbortSignal.timeout(patience),
    headers: token === '' ? {} : { authorization: `Bearer ${token}` },
    ...(method === 'PUT' ? { body: probeKey } : {}),
  });
  await response.body?.cancel();
  return response.status;
}

function unreachable(server: string, reason: string): Finding {
  const remedy = 'Builds go on without it; see that the address is right and the server runs.';
  return { state: 'broken', detail: `${server} cannot be used: ${reason}`, remedy };
}

/** What fetch tells of a connection that failed is in the cause. */
function causeOf(error: Error): string {
  return error.cause instanceof Error ? error.cause.message || String(error.cause) : error.message;
}

export const remoteCacheCheck: Check = {
  subject: 'Workspace',
  name: 'remote cache',
  needed: false,
  cost: 'What other machines have built is built again here.',
  probe: probeRemoteCache,
};
