export { replaceAtomically } from './atomic.ts';
export { describeError, Fault, type FaultDetails, hasErrorCode } from './fault.ts';
export { isAlive, LockFault, withLock } from './lock.ts';
export { nearestWord } from './nearest.ts';
export { installHint, ProgramFault, run, type RunOptions } from './run.ts';
