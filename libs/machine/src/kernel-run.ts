import { MachineFault } from './fault.ts';
import { startMachine, type Machine, type MachineOptions, type MachinePlan } from './machine.ts';

/** A kernel to run, on the platform that it was built for. */
export interface KernelRun extends MachinePlan {
  /** As in the Kraftfile: `qemu`, or `fc` for Firecracker. */
  readonly platform: string;
}

/**
 * Starts a kernel in the monitor of its platform. Only that one is loaded, since this lies on the way to the guest's
 * first instruction.
 *
 * @throws MachineFault when it cannot be started
 */
export async function startKernel(run: KernelRun, options: MachineOptions): Promise<Machine> {
  if (run.platform === 'qemu') return startMachine(run, options);
  if (run.platform === 'fc') {
    const { startFirecracker } = await import('./firecracker.ts');
    return startFirecracker(run, options);
  }
  throw new MachineFault('MACHINE_BAD_TARGET', `kernels for ${run.platform} cannot be run here`, {
    hint: run.platform === 'xen' ? 'Give its configuration to xl on a host with Xen.' : 'Run the target for qemu.',
  });
}
