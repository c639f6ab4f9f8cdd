import { Fault } from '@nx-kraft/base';

/**
 * Why a Kraftfile could not be changed: it is not there or too broken to be read, what is to be changed is not there, is
 * there already, or is written in a form that cannot be changed without touching other parts of the file.
 */
export class KraftfileFault extends Fault<
  'KRAFTFILE_MISSING' | 'KRAFTFILE_BROKEN' | 'EDIT_NOT_FOUND' | 'EDIT_EXISTS' | 'EDIT_FORM'
> {
  override readonly name = 'KraftfileFault';
}
