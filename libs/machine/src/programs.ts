import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { platform } from 'node:os';
import { delimiter, join } from 'node:path';
import { hasErrorCode, installHint } from '@nx-kraft/base';
import { MachineFault } from './fault.ts';

/**
 * The path of a program, looked for in PATH. It asks the system directly and does not wait in turn for a thread to do
 * so, since this lies on the way to the guest's first instruction.
 *
 * @throws MachineFault MACHINE_NO_PROGRAM with what to install
 */
export async function findProgram(name: string): Promise<string> {
  const found = lookFor(name);
  if (found !== undefined) return found;
  throw new MachineFault('MACHINE_NO_PROGRAM', `${name} is not installed`, { hint: await installHint(name) });
}

function lookFor(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return false;
    throw error;
  }
}

/**
 * Starts a program that ends when this process ends, however that happens: on Linux the kernel kills it even when this
 * process is killed with SIGKILL; elsewhere it is killed when this process exits by itself. It gets a session of its
 * own, so that Ctrl-C in a terminal reaches this process only, which then decides.
 */
export function spawnBound(
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly stdio: StdioOptions },
): ChildProcess {
  const setpriv = platform() === 'linux' ? lookFor('setpriv') : undefined;
  const command: readonly string[] =
    setpriv === undefined ? [program, ...args] : [setpriv, '--pdeathsig', 'KILL', '--', program, ...args];
  const [first = program, ...rest] = command;
  const child = spawn(first, rest, { ...options, detached: true });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  return child;
}
