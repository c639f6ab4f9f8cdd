export {
  type CatalogOptions,
  type ComponentInfo,
  describeComponent,
  fetchLocked,
  formatComponent,
  formatComponents,
  formatIndexes,
  formatPulled,
  type IndexStatus,
  listComponents,
  pullComponents,
  type PulledComponent,
  updateIndexes,
} from './catalog.ts';
export { ComponentFault, type ComponentFaultCode } from './fault.ts';
export { fetchComponent, type FetchedComponent } from './fetch.ts';
export { type ImageOptions, pinImage, type ResolveDigest } from './image.ts';
export { findLicence } from './licence.ts';
export {
  emptyLock,
  formatLock,
  type Lock,
  lockedDigest,
  type LockedComponent,
  lockedResolution,
  parseLock,
  readLock,
  writeLock,
} from './lock.ts';
export { lockField } from './lock-field.ts';
export {
  compareLocks,
  findLockGaps,
  formatLockChanges,
  isToUpdate,
  type LockChange,
  type LockGaps,
  type LockNeeds,
  type LockOptions,
  type PlacedRequest,
  updateLock,
} from './lock-update.ts';
export type { Network } from './network.ts';
export {
  type ComponentRequest,
  type ComponentType,
  componentKey,
  locate,
  type Origin,
  parseComponentName,
} from './request.ts';
export type {
  ComponentProgress,
  FetchOptions,
  FolderResolution,
  GitResolution,
  RemoteResolution,
  Resolution,
  TarballResolution,
} from './resolution.ts';
export { resolveComponent, type ResolveOptions } from './resolve.ts';
export { hideCredentials, isRemoteSource } from './url.ts';
export { openStore, type Store, type StoreOptions } from './store.ts';
export { formatStore, listStore, pruneStore, registerLock, type StoreEntry, verifyStore } from './store-report.ts';
export {
  applyTemplates,
  mergeTemplate,
  type Templated,
  type TemplatedKraftfile,
  type TemplatePart,
  type TemplateTarget,
} from './template.ts';
export { defaultIndex, type IndexOptions } from './indexes.ts';
export { addIndex, readUserIndexes, removeIndex, userIndexesFile } from './user-indexes.ts';
export { hashTree } from './tree.ts';
export { type UpstreamFetcher, upstreamFetcher } from './upstream.ts';
export { upstreamDownloads } from './upstream-notes.ts';
