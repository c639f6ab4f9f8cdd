import { devNull } from 'node:os';
import { ProgramFault, run, type RunOptions } from '@nx-kraft/base';
import { ComponentFault } from './fault.ts';
import { retrying } from './retry.ts';
import type { Store } from './store.ts';
import { hideCredentials } from './url.ts';

/** Variables that point git at another repository, as they are set within git's own hooks. */
const foreignRepository = Object.fromEntries(
  [
    'GIT_DIR',
    'GIT_WORK_TREE',
    'GIT_INDEX_FILE',
    'GIT_OBJECT_DIRECTORY',
    'GIT_ALTERNATE_OBJECT_DIRECTORIES',
    'GIT_COMMON_DIR',
    'GIT_NAMESPACE',
    'GIT_PREFIX',
  ].map((name) => [name, undefined]),
);

/** Runs git on a repository of ours, without any settings of the user or the system, so that all get the same bytes. */
export function runLocal(args: readonly string[], options: RunOptions): Promise<string> {
  const env = { ...foreignRepository, GIT_CONFIG_GLOBAL: devNull, GIT_CONFIG_NOSYSTEM: '1', GIT_ATTR_NOSYSTEM: '1' };
  const settings = [`core.attributesFile=${devNull}`, 'core.autocrlf=false', 'core.symlinks=true'];
  return run('git', [...settings.flatMap((setting) => ['-c', setting]), ...args], {
    ...options,
    env: { ...env, ...options.env },
  });
}

/**
 * Runs a git command that talks to the remote at `url`, with the user's own settings (proxies, `url.….insteadOf`,
 * credential helpers) but without any question to the user. Credentials of the URL go through the environment, where
 * other users cannot see them. What may pass by itself is tried three times.
 *
 * @throws ComponentFault in words of this room, without credentials
 */
export async function runRemote(
  store: Store,
  url: string,
  args: readonly string[],
  options: RunOptions,
): Promise<string> {
  const settings = [`core.hooksPath=${devNull}`, 'gc.auto=0', 'maintenance.auto=false', 'protocol.version=2'];
  const env = { ...foreignRepository, ...quiet(), ...credentials(store, url) };
  const attempt = (): Promise<string> =>
    store.network.git([...settings.flatMap((setting) => ['-c', setting]), ...args], { ...options, env });
  try {
    return await retrying(attempt, mayPass, options.signal);
  } catch (error) {
    if (options.signal?.aborted !== true && error instanceof ProgramFault && error.code === 'PROGRAM_FAILED') {
      throw explain(error, url);
    }
    throw error;
  }
}

/** Busy servers and broken connections. */
function mayPass(error: unknown): boolean {
  const reasons =
    /early EOF|RPC failed|connection (was )?(reset|timed out)|hung up unexpectedly|returned error: (429|50[0234])|temporary failure/i;
  return error instanceof ProgramFault && reasons.test(error.output);
}

function quiet(): Record<string, string> {
  const ssh = process.env.GIT_SSH_COMMAND ?? process.env.GIT_SSH;
  return {
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    // Programs that ask in a window: one that answers nothing.
    GIT_ASKPASS: 'true',
    GCM_INTERACTIVE: 'never',
    ...(ssh === undefined ? { GIT_SSH_COMMAND: 'ssh -o BatchMode=yes' } : {}),
  };
}

function credentials(store: Store, url: string): Record<string, string> {
  const full = store.credentials.get(url);
  if (full === undefined) return {};
  const count = Number(process.env.GIT_CONFIG_COUNT ?? 0);
  return {
    GIT_CONFIG_COUNT: String(count + 1),
    [`GIT_CONFIG_KEY_${count}`]: `url.${full}.insteadOf`,
    [`GIT_CONFIG_VALUE_${count}`]: url,
  };
}

/** What git says in English → what it means here. */
const meanings = [
  {
    says: /not our ref|unadvertised object|couldn't find remote ref|no such remote ref/i,
    code: 'COMPONENT_NO_REVISION',
    hint: 'Check the version, branch, tag or commit.',
  },
  {
    says: /repository .*not found|does not appear to be a git repository|does not exist|not found$/im,
    code: 'COMPONENT_NOT_FOUND',
    hint: 'Check the URL; a private repository needs credentials that git finds by itself.',
  },
  {
    says: /could not read (username|password)|authentication failed|permission denied|returned error: 40[13]|terminal prompts disabled/i,
    code: 'COMPONENT_LOGIN',
    hint: 'The server wants a login: set a credential helper or an SSH key up for git; there is no question here.',
  },
] as const;

function explain(error: ProgramFault, url: string): ComponentFault {
  const lines = hideCredentials(error.output).trim().split('\n');
  const told = lines.find((line) => /^(fatal|error|ERROR|remote):/.test(line)) ?? lines.at(-1) ?? '';
  const meaning = meanings.find(({ says }) => says.test(error.output));
  return new ComponentFault(
    meaning?.code ?? 'COMPONENT_UNREACHABLE',
    `git: ${told.replace(/^(fatal|error|ERROR): /, '')}`,
    {
      at: hideCredentials(url),
      hint: meaning?.hint ?? 'Check the network, or use --offline with what is in the store.',
    },
  );
}

/** For commands whose failure is an answer: gives undefined. */
export function ignoreFailure(error: unknown): undefined {
  if (error instanceof ProgramFault && error.code === 'PROGRAM_FAILED') return undefined;
  throw error;
}
