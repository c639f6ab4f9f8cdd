/** Turns the network off for all tasks, without being part of their cache keys. */
export const offlineVariable = 'NX_KRAFT_OFFLINE';

/** Makes all tasks refuse what `kraft.lock` does not have, without being part of their cache keys. */
export const frozenVariable = 'NX_KRAFT_FROZEN';

/** What a task may ask of other machines. */
export interface NetworkOptions {
  /** Never talk to another machine. */
  readonly offline?: boolean | undefined;
  /** Refuse what `kraft.lock` does not have. */
  readonly frozen?: boolean | undefined;
}

/** What holds for one task. */
export interface NetworkRules {
  readonly offline: boolean;
  readonly frozen: boolean;
}

/** The rules for one task: what its options say, or else the environment. */
export function networkRules({ offline, frozen }: NetworkOptions): NetworkRules {
  return {
    offline: offline ?? isSet(process.env[offlineVariable]),
    frozen: frozen ?? isSet(process.env[frozenVariable]),
  };
}

function isSet(value = ''): boolean {
  return !['', '0', 'false'].includes(value);
}

/**
 * The variables for `--offline` and `--frozen` on Nx's command line. Nx gives options to the tasks that were asked for
 * only, while these two are meant for those that must run before them as well.
 *
 * @param argv  as Nx was called
 */
export function networkVariables(argv: readonly string[]): Readonly<Record<string, string>> {
  const own = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  const has = (flag: string): boolean => own.includes(flag) || own.includes(`${flag}=true`);
  return {
    ...(has('--offline') ? { [offlineVariable]: '1' } : {}),
    ...(has('--frozen') ? { [frozenVariable]: '1' } : {}),
  };
}
