import { constants } from 'node:os';
import type { ExecaError } from 'execa';
import { Fault } from './fault.ts';
import { installHint } from './install-hint.ts';

/** A program that is not there, or that failed. */
export class ProgramFault extends Fault<'PROGRAM_MISSING' | 'PROGRAM_FAILED'> {
  override readonly name = 'ProgramFault';
  /** Exit status as a shell gives it: 128 + the signal's number when a signal ended the program, 127 when missing. */
  readonly exitCode: number;
  /** The last lines that the program wrote, standard error after standard output. */
  readonly output: string;

  constructor(
    code: 'PROGRAM_MISSING' | 'PROGRAM_FAILED',
    message: string,
    details: { exitCode: number; output?: string; hint?: string; cause?: unknown },
  ) {
    super(code, message, details);
    this.exitCode = details.exitCode;
    this.output = details.output ?? '';
  }
}

export interface RunOptions {
  readonly cwd?: string;
  /** Added to this process's environment; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
  /** Gives the program this process's terminal, for programs that people type into; its output is not kept then. */
  readonly terminal?: boolean;
  /** Ends the program: SIGTERM, then SIGKILL after five seconds. */
  readonly signal?: AbortSignal | undefined;
  /** Called for each line of standard output and standard error as it arrives. */
  readonly onLine?: (line: string) => void;
}

/** How much of a program's output is kept for its fault, in characters of each stream. */
const keptOutput = 64 * 1024;

/**
 * Runs a program to its end, without a shell, and gives its standard output (its last 64 KiB, final newline removed).
 * The program ends when this process exits or the signal is aborted.
 *
 * @throws ProgramFault PROGRAM_MISSING (with how to install it) or PROGRAM_FAILED (with its exit code and last output)
 */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  // Loading execa takes longer than most programs run, and many who import this room run none.
  const { ExecaError, execa } = await import('execa');
  const child = execa(program, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.terminal === true
      ? { stdio: 'inherit' as const }
      : options.input === undefined
        ? { stdin: 'ignore' as const }
        : { input: options.input }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    forceKillAfterDelay: 5000,
    buffer: false,
  });
  const tails = { stdout: '', stderr: '' };
  const follow = async (stream: 'stdout' | 'stderr'): Promise<void> => {
    for await (const line of child.iterable({ from: stream })) {
      const text = String(line);
      tails[stream] = `${tails[stream]}${text}\n`.slice(-keptOutput);
      options.onLine?.(text);
    }
  };
  // The child's own promise tells how it ended; the readers fail with the same error and add nothing.
  const readers = Promise.allSettled(options.terminal === true ? [] : [follow('stdout'), follow('stderr')]);
  try {
    await child;
  } catch (error) {
    await readers;
    if (!(error instanceof ExecaError)) throw error;
    throw await asProgramFault(program, error as ExecaError, `${tails.stdout}${tails.stderr}`);
  }
  await readers;
  return tails.stdout.replace(/\n$/, '');
}

async function asProgramFault(program: string, error: ExecaError, output: string): Promise<ProgramFault> {
  if (error.code === 'ENOENT') {
    const hint = await installHint(program);
    return new ProgramFault('PROGRAM_MISSING', `${program} is not installed`, { exitCode: 127, hint, cause: error });
  }
  const exitCode = error.exitCode ?? 128 + (error.signal === undefined ? 0 : constants.signals[error.signal]);
  const end = error.signal === undefined ? `exited with ${exitCode}` : `was ended by ${error.signal}`;
  return new ProgramFault('PROGRAM_FAILED', `${program} ${end}`, { exitCode, output, cause: error });
}
