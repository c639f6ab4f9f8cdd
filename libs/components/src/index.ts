export { ComponentFault, type ComponentFaultCode } from './fault.ts';
export { fetchComponent, type FetchedComponent } from './fetch.ts';
export { type Lock } from './lock.ts';
export { type Network } from './network.ts';
export { type ComponentRequest, type ComponentType, componentKey, parseComponentName } from './request.ts';
export {
  type ComponentProgress,
  type FetchOptions,
  type FolderResolution,
  type GitResolution,
  type RemoteResolution,
  type Resolution,
} from './resolution.ts';
export { resolveComponent, type ResolveOptions } from './resolve.ts';
export { openStore, type Store, type StoreOptions } from './store.ts';
export { hashTree } from './tree.ts';
