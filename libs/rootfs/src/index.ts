export { buildRootfs, type Rootfs, type RootfsRequest } from './build.ts';
export { type Detected, detectSource, type SourceKind, type SourceType, sourceTypes } from './detect.ts';
export { RootfsFault, type RootfsFaultCode } from './fault.ts';
export { type Modes } from './modes.ts';
export { type RootfsFormat } from './output.ts';
