export type { Diagnostic, DiagnosticCode } from './diagnostics.ts';
export {
  embedsRootfs,
  kernelFingerprint,
  packageFingerprint,
  romFingerprint,
  rootfsFingerprint,
  runFingerprint,
  type TaskKind,
  testFingerprint,
} from './fingerprints.ts';
export type {
  Component,
  Filesystem,
  FilesystemFormat,
  FilesystemSourceType,
  Kconfig,
  Kraftfile,
  ModelPath,
  Plain,
  Position,
  PositionOf,
  Runtime,
  SpecVersion,
  Target,
  Volume,
} from './model.ts';
export { isKraftfile, isKraftfileName, kraftfileNames, variantOfName } from './names.ts';
export {
  defaultOutdir,
  imageName,
  outputDirectory,
  outputNames,
  type OutputNames,
  romName,
  rootfsName,
} from './outputs.ts';
export { readKraftfile, type ReadOptions, type ReadResult } from './read-kraftfile.ts';
export { specVersions } from './read-spec.ts';
