import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { platform } from 'node:os';
import { delimiter, join } from 'node:path';
import { installHint } from '@nx-kraft/base';
import { MachineFault } from './fault.ts';

/**
 * The path of a program, looked for in PATH.
 *
 * @throws MachineFault MACHINE_NO_PROGRAM with what to install
 */
export async function findProgram(name: string): Promise<string> {
  const found = await lookFor(name);
  if (found !== undefined) return found;
  throw new MachineFault('MACHINE_NO_PROGRAM', `${name} is not installed`, { hint: installHint(name) });
}

/** The path of a program, or undefined when PATH has none. */
export async function lookFor(name: string): Promise<string | undefined> {
  const paths = name.includes('/')
    ? [name]
    : (process.env['PATH'] ?? '').split(delimiter).map((dir) => join(dir, name));
  for (const path of paths) {
    const usable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (usable) return path;
  }
  return undefined;
}

/**
 * Starts a program that ends when this process ends, however that happens: on Linux the kernel kills it even when this
 * process is killed with SIGKILL; elsewhere it is killed when this process exits by itself. It gets a session of its
 * own, so that Ctrl-C in a terminal reaches this process only, which then decides.
 */
export async function spawnBound(
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly stdio: StdioOptions },
): Promise<ChildProcess> {
  const setpriv = platform() === 'linux' ? await lookFor('setpriv') : undefined;
  const command: readonly string[] =
    setpriv === undefined ? [program, ...args] : [setpriv, '--pdeathsig', 'KILL', '--', program, ...args];
  const [first = program, ...rest] = command;
  const child = spawn(first, rest, { ...options, detached: true });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  return child;
}
