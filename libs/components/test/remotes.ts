import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { run } from '@nx-kraft/base';
import { type Network, realNetwork } from '../src/network.ts';

/** A git repository of a test, to be used as a remote by its file URL. */
export interface Remote {
  readonly folder: string;
  readonly url: string;
  readonly git: (...args: readonly string[]) => Promise<string>;
  /** Commits these files on top; gives the commit. */
  readonly commit: (files: Readonly<Record<string, string>>) => Promise<string>;
}

const identity = {
  GIT_AUTHOR_NAME: 'test',
  GIT_AUTHOR_EMAIL: 'test@example.com',
  GIT_COMMITTER_NAME: 'test',
  GIT_COMMITTER_EMAIL: 'test@example.com',
};

/** Makes a repository whose branch is `stable`. */
export async function createRemote(folder: string): Promise<Remote> {
  await mkdir(folder, { recursive: true });
  const git = (...args: readonly string[]): Promise<string> => run('git', args, { cwd: folder, env: identity });
  await git('init', '--quiet', '--initial-branch=stable');
  const commit = async (files: Readonly<Record<string, string>>): Promise<string> => {
    await writeFiles(folder, files);
    await git('add', '--all');
    await git('commit', '--quiet', '--message=test');
    return git('rev-parse', 'HEAD');
  };
  return { folder, url: pathToFileURL(folder).href, git, commit };
}

/** Writes files, with the folders that they need. */
export async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** A network that notes what it is asked, and finds `https://github.com/unikraft/NAME.git` as `below`/NAME. */
export function recordingNetwork(below?: string): Network & { readonly calls: string[] } {
  const calls: string[] = [];
  const mapped =
    below === undefined ? [] : ['-c', `url.${pathToFileURL(below).href}/.insteadOf=https://github.com/unikraft/`];
  return {
    calls,
    git: (args, options) => {
      calls.push(`git ${args.filter((arg) => !arg.startsWith('-') && !arg.includes('=')).join(' ')}`);
      return realNetwork.git([...mapped, ...args], options);
    },
    fetch: (input, init) => {
      calls.push(`${init?.method ?? 'GET'} ${input instanceof Request ? input.url : String(input)}`);
      return realNetwork.fetch(input, init);
    },
  };
}

/** A network that fails the test that uses it. */
export const noNetwork: Network = {
  git: (args) => Promise.reject(new Error(`the network was used: git ${args.join(' ')}`)),
  fetch: (input) =>
    Promise.reject(new Error(`the network was used: ${input instanceof Request ? input.url : String(input)}`)),
};
