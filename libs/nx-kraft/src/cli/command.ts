import { Fault } from '@nx-kraft/base';

/** One subcommand of `nx-kraft`. */
export interface Command {
  /** How it is called, without the program's name: `lint PATH… [--json]`. */
  readonly usage: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** What its options do, one line each, for its help. */
  readonly help?: string;
  /**
   * Does it.
   *
   * @returns the exit code
   */
  readonly run: (args: readonly string[]) => Promise<number>;
}

/** A command line that cannot be understood. */
export class UsageFault extends Fault<'USAGE'> {
  override readonly name = 'UsageFault';

  constructor(message: string) {
    super('USAGE', message, { hint: 'nx-kraft help shows how it is called.' });
  }
}
