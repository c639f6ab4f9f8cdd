export { attach, type Attachment, attachToImage, fetchAttachments } from './attachments.ts';
export { annotationKeys } from './annotations.ts';
export { BlobSources } from './blob-sources.ts';
export {
  catalogColumns,
  type CatalogFilter,
  type CatalogRow,
  type CatalogUpdate,
  formatSize,
  listKraftStore,
  listRegistry,
  listRemote,
  listStore,
  updateCatalog,
} from './catalog.ts';
export { type ContainerdOptions, exportToContainerd, importFromContainerd } from './containerd.ts';
export type { Digest } from './digest.ts';
export { OciFault, type OciFaultCode } from './fault.ts';
export { type Image, type ImageLayer, openLayer, readImage } from './image.ts';
export { formatDetails, type ImageDetails, inspectImage, type ManifestDetails } from './inspect.ts';
export { type KraftImage, KraftStore, kraftStoreFolder } from './kraft-store.ts';
export { Layout } from './layout.ts';
export type { Compression } from './media-types.ts';
export type { Descriptor, ImageConfig, ImageIndex, ImageManifest, Platform, RunConfig } from './model.ts';
export { packageImage } from './package-image.ts';
export type { PackagedImage, PackagedManifest, PackagePlan, PackageTarget, RuntimeImage } from './package-plan.ts';
export type { Pruned } from './prune.ts';
export { type PulledImage, pullImage, type PullOptions } from './pull.ts';
export { type PushedImage, pushImage, type PushOptions } from './push.ts';
export { removeImage } from './remove-image.ts';
export { formatReference, parseReference, type Reference, repositoryName, withTag } from './reference.ts';
export { RegistryClient, type RegistryOptions } from './registry/client.ts';
export {
  type Credentials,
  type CredentialSource,
  forgetCredentials,
  listLogins,
  loginFile,
  userCredentials,
} from './registry/credentials.ts';
export { login, probeLogin } from './registry/login.ts';
export { RegistryFault, type RegistryFaultCode } from './registry/fault.ts';
export { Repository } from './registry/repository.ts';
export { findRuntime, type FoundRuntime } from './runtime.ts';
export {
  hostArchitecture,
  type ImageEntry,
  isWanted,
  listEntries,
  type Root,
  selectEntries,
  type Wanted,
} from './select.ts';
export { type Blob, blobStream, type ImageSource } from './source.ts';
export {
  type AddOptions,
  archiveLayout,
  defaultStoreFolder,
  ImageStore,
  type StoredImage,
  type Strategy,
} from './store.ts';
export { isEncryptedKey, readPrivateKey, readPublicKey } from './supply-chain/keys.ts';
export { type Material, provenanceAttachment, type ProvenancePlan } from './supply-chain/provenance.ts';
export { rootfsPackages } from './supply-chain/rootfs-packages.ts';
export { readSignaturePolicy, signaturePolicyFile } from './supply-chain/policy.ts';
export { type Component, sbomAttachment, type SbomPlan } from './supply-chain/sbom.ts';
export {
  requireSignature,
  signedDigest,
  type SignaturePolicy,
  type SignatureRule,
  signImage,
} from './supply-chain/signature.ts';
export { type Column, formatTable, tableRecords } from './table.ts';
export type { Outcome, TransferOptions } from './transfer.ts';
export { type UnpackedImage, unpackImage } from './unpack.ts';
