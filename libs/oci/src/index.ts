export type { Digest } from './digest.ts';
export { OciFault, type OciFaultCode } from './fault.ts';
export { Layout } from './layout.ts';
export type { Compression } from './media-types.ts';
export type { Descriptor, ImageConfig, ImageIndex, ImageManifest, Platform, RunConfig } from './model.ts';
export {
  type PackagedImage,
  type PackagedManifest,
  packageImage,
  type PackagePlan,
  type PackageTarget,
} from './package-image.ts';
export { formatReference, parseReference, type Reference } from './reference.ts';
