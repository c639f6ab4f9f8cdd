export type { Diagnostic, DiagnosticCode } from './diagnostics.ts';
export {
  addLibrary,
  addTarget,
  type KconfigPlace,
  removeLibrary,
  removeTarget,
  setKconfig,
  unsetKconfig,
} from './edit.ts';
export { setLabel } from './edit-labels.ts';
export { editorSettings } from './editor-settings.ts';
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
export { KraftfileFault } from './fault.ts';
export { type FolderKraftfiles, kraftfilesOfFolder } from './folder.ts';
export { type DiagnosticsFormat, formatDiagnostics } from './format.ts';
export { inspectKraftfile, type InspectResult } from './inspect.ts';
export { kraftfileJsonSchema } from './json-schema.ts';
export { lintPaths, type LintOptions, type LintResult } from './lint.ts';
export { loadKraftfile, type LoadedKraftfile } from './load.ts';
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
  archiveName,
  imageName,
  outputDirectory,
  outputNames,
  type OutputNames,
  romName,
  rootfsName,
  runDefaultsName,
  testReportName,
  bootReportName,
} from './outputs.ts';
export { readKraftfile, type ReadOptions, type ReadResult } from './read-kraftfile.ts';
export { specVersions } from './read-spec.ts';
export { type Loss, type Upgrade, upgradeKraftfile } from './upgrade.ts';
export { architectureAliases, architectures, platforms } from './words.ts';
