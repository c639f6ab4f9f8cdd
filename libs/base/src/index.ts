export { unlessAborted } from './abort.ts';
export { replaceAtomically } from './atomic.ts';
export {
  describeError,
  Fault,
  type FaultDetails,
  hasErrorCode,
  leadsNowhere,
  refusalOf,
  unlessNowhere,
} from './fault.ts';
export { installHint } from './install-hint.ts';
export { isAlive, LockFault, withLock } from './lock.ts';
export { nearestWord } from './nearest.ts';
export { FileFault, irregularKind, regularFile } from './regular-file.ts';
export { ProgramFault, run, type RunOptions } from './run.ts';
