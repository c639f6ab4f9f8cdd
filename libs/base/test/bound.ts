import { platform } from 'node:os';

/**
 * A daemon of a test as `spawn` takes it, bound to the process that starts it: on Linux it gets SIGTERM when that process
 * ends, also when it is killed, so that no run of the tests leaves one behind. It has the process number of `spawn`.
 */
export function bound(program: string, args: readonly string[]): [program: string, args: readonly string[]] {
  if (platform() !== 'linux') return [program, args];
  return ['setpriv', ['--pdeathsig', 'TERM', '--', program, ...args]];
}
