import { Fault } from '@nx-kraft/base';

/** A command line that cannot be understood. */
export class UsageFault extends Fault<'USAGE'> {
  override readonly name = 'UsageFault';

  /** @param hint  what to write instead; without it the help of the command is named */
  constructor(message: string, hint?: string) {
    super('USAGE', message, { hint });
  }
}
