import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { hasErrorCode } from '@nx-kraft/base';

/** Until when Nx may not have read any file of the workspace for the graph that it has, in milliseconds since 1970. */
let readFrom: number | undefined;
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
  return { [beganVariable]: String(Math.floor(isOnDaemon() ? Date.now() : (readFrom ?? startOfCommand()))) };
}

/**
 * When the command `nx` was started, which reads files while it starts the process of a plugin. Where a program that runs for
 * longer has started that, or no Linux tells: when this process was.
 */
function startOfCommand(): number {
  const own = performance.timeOrigin;
  if (!isScript(process.argv[1], 'plugin-worker')) return own;
  try {
    const [, script] = readFileSync(`/proc/${process.ppid}/cmdline`, 'utf8').split('\0');
    if (!isScript(script, 'nx')) return own;
    // Not before it: both numbers are rounded. Nx reads no file before Node has started, which takes longer than this.
    const roundings = 2;
    return own - 10 * (startTicks('self') - startTicks(process.ppid) - roundings);
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT', 'EACCES')) throw error;
    return own;
  }
}

function isScript(path: string | undefined, name: string): boolean {
  return path !== undefined && basename(path, '.js') === name;
}

/** When a process was started, in hundredths of a second since the machine was (proc_pid_stat(5), `starttime`). */
function startTicks(pid: number | 'self'): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The program's name before it may hold blanks and brackets.
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
}
