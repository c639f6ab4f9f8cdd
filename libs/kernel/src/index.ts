export { buildKernel, type BuildOptions, type BuiltKernel, type KernelPlan } from './build.ts';
export { type MakeStep } from './diagnose.ts';
export { KernelFault, type KernelFaultCode } from './fault.ts';
export { type DroppedOption, type Kconfig, mergeKconfig, parseConfig, targetSymbols } from './kconfig.ts';
export { type Library } from './libraries.ts';
export { describeToolchains } from './toolchain.ts';
