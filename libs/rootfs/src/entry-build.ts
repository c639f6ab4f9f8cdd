// What a build needs and nothing else: loading takes longer than making most root file systems.
export { buildRootfs, type Rootfs, type RootfsRequest, type RunDefaults } from './build.ts';
export { sourceTypes } from './detect.ts';
export type { ImageSource } from './image.ts';
export { describeRootfs } from './summary.ts';
