import { describeError } from '@nx-kraft/base';
import {} from './command.ts';
import { UsageFault } from './usage-fault.ts';
import { findCommand } from './find-command.ts';
import { formatHelp } from './help.ts';
import { program } from './program.ts';

type Call = Awaited<ReturnType<typeof findCommand>>;

/**
 * Runs the command `nx-kraft`.
 *
 * @param args  the words after the program's name
 * @returns the exit code: 0, 1 when it failed, 2 when the command line cannot be understood
 */
export async function main(args: readonly string[]): Promise<number> {
  try {
    return await dispatch(args);
  } catch (error) {
    for (const one of error instanceof AggregateError ? (error.errors as unknown[]) : [error]) {
      process.stderr.write(`nx-kraft: ${describeError(one)}\n`);
    }
    return error instanceof UsageFault ? 2 : 1;
  }
}

async function dispatch([first = 'help', ...others]: readonly string[]): Promise<number> {
  if (first === 'help') return help(await findCommand(program, others));
  const call = await findCommand(program, [first === '--version' ? 'version' : first, ...others]);
  if (isHelpAsked(call.rest)) return help(call);
  const { found, rest } = await withDefault(call);
  if ('run' in found.command) return found.command.run(rest).catch((error: unknown) => explainUsage(error, found.path));
  if (rest.length > 0)
    throw new UsageFault(`there is no option ${rest[0]}`, `${found.path} --help lists the commands.`);
  return help({ found });
}

/** Names the help of a command that was called wrongly. */
function explainUsage(error: unknown, path: string): never {
  if (!(error instanceof UsageFault) || error.hint !== undefined) throw error;
  throw new UsageFault(error.message, `${path} --help shows how it is called.`);
}

function isHelpAsked(rest: readonly string[]): boolean {
  const own = rest.includes('--') ? rest.slice(0, rest.indexOf('--')) : rest;
  return own.includes('--help') || own.includes('-h');
}

/** Where only a group was named, the command in it that is then meant. */
function withDefault(call: Call): Call | Promise<Call> {
  const { found, rest } = call;
  if ('run' in found.command || found.command.default === undefined) return call;
  return findCommand(found, [found.command.default, ...rest]);
}

function help({ found }: Pick<Call, 'found'>): number {
  process.stdout.write(formatHelp(found.path, found.summary, found.command));
  return 0;
}
