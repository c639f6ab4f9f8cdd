export { buildRootfs, type Rootfs, type RootfsRequest, type RunDefaults } from './build.ts';
export { type Detected, detectSource, type SourceKind, type SourceType, sourceTypes } from './detect.ts';
export { type DockerfileOptions, type PassedOver } from './dockerfile/build.ts';
export { type BuilderName, externalBuilders, prepareBuilder } from './dockerfile/builders.ts';
export { type Credentials } from './dockerfile/job.ts';
export { FileDetails } from './file-details.ts';
export { RootfsFault, type RootfsFaultCode } from './fault.ts';
export { type ImageDefaults, type ImageSource, type PackedImage, type SourceImage, type SourceLayer } from './image.ts';
export { findPackedImage, openLayoutImage, openPackedImage, registryImages } from './images.ts';
export {
  inputsToCome,
  type InputsRequest,
  type KnownTexts,
  rootfsInputs,
  type RootfsInputs,
  unexpectedReads,
} from './inputs.ts';
export { type Modes } from './modes.ts';
export { type RootfsFormat } from './output.ts';
export { describeRootfs, formatBytes, memoryHint, neededMemory } from './summary.ts';
