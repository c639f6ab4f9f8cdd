// What a run needs and nothing else: it lies on the way from a command to the guest's first instruction.
export { formatAddress, initrdMount, type Address } from './command-line.ts';
export type { EndReason, MachineEnd } from './ending.ts';
export { MachineFault, type MachineFaultCode } from './fault.ts';
export type { Architecture } from './kernel-file.ts';
export type { KernelRun } from './kernel-run.ts';
export { parsePorts, type Port } from './ports.ts';
export { runKernel, type KernelRunOptions } from './run.ts';
export { parseVolume, type Volume, type VolumeDriver } from './volumes.ts';
