import { describeError, hasErrorCode } from '@nx-kraft/base';
import { type Command, UsageFault } from './command.ts';

/** The subcommands; each is loaded only when it is called. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  lint: async () => (await import('./lint.ts')).lint,
  inspect: async () => (await import('./inspect.ts')).inspect,
  set: async () => (await import('./edit.ts')).set,
  unset: async () => (await import('./edit.ts')).unset,
  target: async () => (await import('./edit.ts')).target,
  lib: async () => (await import('./edit.ts')).lib,
  upgrade: async () => (await import('./edit.ts')).upgrade,
  rootfs: async () => (await import('./rootfs.ts')).rootfs,
  pkg: async () => (await import('./pkg.ts')).pkg,
  login: async () => (await import('./login.ts')).login,
  store: async () => (await import('./store.ts')).store,
  ps: async () => (await import('./instances.ts')).ps,
  logs: async () => (await import('./instances.ts')).logs,
  start: async () => (await import('./instances.ts')).start,
  stop: async () => (await import('./instances.ts')).stop,
  pause: async () => (await import('./instances.ts')).pause,
  rm: async () => (await import('./instances.ts')).rm,
};

/**
 * Runs the command `nx-kraft`.
 *
 * @param args  the words after the program's name
 * @returns the exit code: 0, 1 when it failed, 2 when the command line cannot be understood
 */
export async function main(args: readonly string[]): Promise<number> {
  const [name = 'help', ...rest] = args;
  try {
    if (name === 'help' || name === '--help' || name === '-h') {
      process.stdout.write(await overview(rest[0]));
      return 0;
    }
    const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (load === undefined) throw new UsageFault(`there is no command '${name}'`);
    const command = await load();
    if (rest.includes('--help') || rest.includes('-h')) {
      process.stdout.write(describe(command));
      return 0;
    }
    return await command.run(rest);
  } catch (error) {
    for (const one of error instanceof AggregateError ? (error.errors as unknown[]) : [error]) {
      process.stderr.write(`nx-kraft: ${describeError(asUsageFault(one))}\n`);
    }
    return error instanceof UsageFault || isParseError(error) ? 2 : 1;
  }
}

async function overview(name: string | undefined): Promise<string> {
  const load = name === undefined ? undefined : commands[name];
  if (load !== undefined) return describe(await load());
  const loaded = await Promise.all(Object.values(commands).map((command) => command()));
  const width = Math.max(...loaded.map(({ usage }) => usage.length));
  const lines = loaded.map(({ usage, summary }) => `  ${usage.padEnd(width)}  ${summary}`);
  return `nx-kraft: unikernels outside of Nx projects; within them use nx run.\n\n${lines.join('\n')}\n`;
}

function describe({ usage, summary, help }: Command): string {
  return `nx-kraft ${usage}\n\n${summary}\n${help === undefined ? '' : `\n${help}\n`}`;
}

/** Node's own parser of arguments tells mistakes as errors of its own. */
function isParseError(error: unknown): error is Error {
  return hasErrorCode(
    error,
    'ERR_PARSE_ARGS_UNKNOWN_OPTION',
    'ERR_PARSE_ARGS_INVALID_OPTION_VALUE',
    'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL',
  );
}

function asUsageFault(error: unknown): unknown {
  return isParseError(error) ? new UsageFault(error.message) : error;
}
