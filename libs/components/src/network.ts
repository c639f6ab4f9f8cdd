import { run, type RunOptions } from '@nx-kraft/base';

/** The only two ways out of this room to other machines; tests and embedders may put their own in place. */
export interface Network {
  /** Runs a git command that talks to a remote; gives its standard output. */
  readonly git: (args: readonly string[], options: RunOptions) => Promise<string>;
  readonly fetch: typeof globalThis.fetch;
}

/** The real network. */
export const realNetwork: Network = {
  git: (args, options) => run('git', args, options),
  fetch: (input, init) => fetch(input, init),
};
