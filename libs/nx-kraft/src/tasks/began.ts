/** When the command began, in milliseconds since 1970, for tasks whose sources nobody may touch from then on. */
export const beganVariable = 'NX_KRAFT_BEGAN';

/** What tasks get to know of it, before Nx makes their keys. */
export function beganNow(): Readonly<Record<string, string>> {
  return { [beganVariable]: String(Date.now()) };
}
