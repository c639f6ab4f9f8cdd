import { Fault } from '@nx-kraft/base';

/** What a generator cannot do, and what to do instead. */
export class GeneratorFault extends Fault<
  | 'BAD_NAME'
  | 'BAD_FOLDER'
  | 'BAD_TEMPLATE'
  | 'ALREADY_THERE'
  | 'NOT_FOUND'
  | 'NOT_COMMITTED'
  | 'IN_USE'
  | 'NOTHING_TO_DO'
  | 'WOULD_LOSE'
  | 'BAD_JSON'
  | 'OLD_NX'
> {
  override readonly name = 'GeneratorFault';
}
