export { BlobSources } from './blob-sources.ts';
export type { Digest } from './digest.ts';
export { OciFault, type OciFaultCode } from './fault.ts';
export { type Image, type ImageLayer, openLayer, readImage } from './image.ts';
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
export { type PulledImage, pullImage, type PullOptions } from './pull.ts';
export { type PushedImage, pushImage, type PushOptions } from './push.ts';
export { formatReference, parseReference, type Reference } from './reference.ts';
export { checkLogin, RegistryClient, type RegistryOptions } from './registry/client.ts';
export {
  type Credentials,
  type CredentialSource,
  forgetCredentials,
  loginFile,
  saveCredentials,
  userCredentials,
} from './registry/credentials.ts';
export { RegistryFault, type RegistryFaultCode } from './registry/fault.ts';
export { Repository } from './registry/repository.ts';
export { hostArchitecture, type ImageEntry, listEntries, type Root, selectEntries, type Wanted } from './select.ts';
export { type Blob, blobStream, type ImageSource } from './source.ts';
export { archiveLayout, defaultStoreFolder, ImageStore, type Pruned, type StoredImage } from './store.ts';
export type { Outcome, TransferOptions } from './transfer.ts';
