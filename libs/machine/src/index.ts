export * from './entry-run.ts';
export { chooseAccelerator, type Accelerator, type AcceleratorChoice } from './accelerator.ts';
export type { Mismatch } from './console-check.ts';
export { formatCommandLine, type CommandLine } from './command-line.ts';
export { inspectKernel, type KernelFile } from './kernel-file.ts';
export { inspectLinuxProgram, type LinuxProgram } from './linux-program.ts';
export { startMachine, type Machine, type MachineOptions, type MachinePlan } from './machine.ts';
export type { Scenario, ScenarioInput } from './scenario.ts';
export { formatJunit, formatScenario } from './test-report.ts';
export { runScenarios, type ScenarioResult, type TestOptions } from './test-run.ts';
export { formatInstances, formatRows, isActive } from './instance-table.ts';
export {
  debugInTerminal,
  formatGdbLine,
  gdbArguments,
  makeVscodeConfiguration,
  startForDebugger,
  waitForDebugger,
  type DebugOptions,
  type DebugTarget,
} from './debug.ts';
export {
  formatBootReport,
  measureBoots,
  type BootReport,
  type BootReportOptions,
  type LibrarySize,
} from './boot-report.ts';
export { Networks, type Attachment, type Network } from './networks.ts';
export type { TapInterface } from './qemu.ts';
export { firecrackerCalls, startFirecracker, type FirecrackerCall } from './firecracker.ts';
export { formatXlConfiguration } from './xen.ts';
export { findProgram } from './programs.ts';
