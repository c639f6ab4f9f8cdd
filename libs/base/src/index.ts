export { replaceAtomically } from './atomic.ts';
export { describeError, Fault, type FaultDetails, hasErrorCode, refusalOf } from './fault.ts';
export { isAlive, LockFault, withLock } from './lock.ts';
export { nearestWord } from './nearest.ts';
export { installHint, installLine, type PackagedProgram, packagedPrograms } from './packages.ts';
export { FileFault, irregularKind, regularFile } from './regular-file.ts';
export { ProgramFault, run, type RunOptions } from './run.ts';
export { describeLinux, detectSystem, type Family, type System } from './system.ts';
