// What a run needs and nothing else: it lies on the way from a command to the guest's first instruction.
export { formatAddress, initrdMount, type Address } from './command-line.ts';
export type { EndReason, MachineEnd } from './ending.ts';
export { MachineFault, type MachineFaultCode } from './fault.ts';
export type { Instance, InstanceState } from './instance.ts';
export { defaultInstanceFolder, type InstanceRunOptions, Instances, type NewInstance } from './instances.ts';
export type { Architecture } from './kernel-file.ts';
export type { KernelRun } from './kernel-run.ts';
export { parseMemory } from './memory.ts';
export { parseMac, parseNetwork, type NetworkRequest } from './network-request.ts';
export { formatPort, parsePorts, type Port } from './ports.ts';
export { runKernel, type KernelRunOptions } from './run.ts';
export { VolumeStore, type NamedVolume } from './volume-store.ts';
export { parseVolume, type Volume, type VolumeDriver } from './volumes.ts';
