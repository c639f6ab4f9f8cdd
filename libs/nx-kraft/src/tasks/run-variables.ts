/** What a variable was set to for a run, and what it was before that. */
interface Given {
  readonly value: string;
  readonly before: string | undefined;
}

/** What this process has set last. */
const given = new Map<string, Given>();

/**
 * Sets variables for a run of Nx.
 *
 * @param env  the environment as Nx has put it there for this run
 */
export function giveVariables(env: NodeJS.ProcessEnv, variables: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(variables)) {
    given.set(name, { value, before: env[name] });
    env[name] = value;
  }
}

/**
 * Takes back what was set for an earlier run. Nx's daemon keeps the plugin's process, with all that is set there, for a run
 * that begins before another has ended, or after one that was killed.
 */
export function takeBackVariables(env: NodeJS.ProcessEnv): void {
  for (const [name, { value, before }] of given) {
    // What is another value now came from Nx since then.
    if (env[name] !== value) continue;
    if (before === undefined) Reflect.deleteProperty(env, name);
    else env[name] = before;
  }
  given.clear();
}
