/** Until when Nx may not have read any file of the workspace for the graph that it has, in milliseconds since 1970. */
let readFrom = performance.timeOrigin;
let hasGraph = false;

/** To be told when Nx infers projects, for which it has just read all files. */
export function inferenceBegins(): void {
  if (!hasGraph) return;
  // In the same process again, as after nx sync has changed files: what was changed before it is in this graph.
  readFrom = Date.now();
  hasGraph = false;
}

/** To be told when all projects are known. */
export function inferenceEnded(): void {
  hasGraph = true;
}

/** Whether this is Nx's daemon, or a process of the plugin that it has. */
export function isOnDaemon(): boolean {
  return process.env.NX_DAEMON_PROCESS === 'true';
}

/** Since when nobody may touch the sources of tasks, in milliseconds since 1970. */
export const beganVariable = 'NX_KRAFT_BEGAN';

/**
 * What tasks get to know of it, before Nx makes their keys. Without a daemon keys hold files as they were when the command
 * began, and graphs take their time. A daemon sees changes until it makes the keys.
 */
export function beganVariables(): Readonly<Record<string, string>> {
  return { [beganVariable]: String(Math.floor(isOnDaemon() ? Date.now() : readFrom)) };
}
