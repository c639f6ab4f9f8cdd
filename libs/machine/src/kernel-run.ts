import { MachineFault } from './fault.ts';
import { startMachine, type Machine, type MachineOptions, type MachinePlan } from './machine.ts';
import type { NetworkRequest } from './network-request.ts';

/** A kernel to run, on the platform that it was built for. */
export interface KernelRun extends MachinePlan {
  /** As in the Kraftfile: `qemu`, or `fc` for Firecracker. */
  readonly platform: string;
  /** Networks of this host that it is attached to when it starts, each with an interface of its own. */
  readonly networks?: readonly NetworkRequest[];
}

/**
 * Takes places in the networks that a machine asks for.
 *
 * @throws MachineFault MACHINE_NO_NETWORK, MACHINE_NETWORK_IN_USE, MACHINE_BAD_NETWORK
 */
export async function attachToNetworks(run: KernelRun): Promise<KernelRun> {
  const { networks = [], ...rest } = run;
  if (networks.length === 0) return rest;
  const { Networks } = await import('./networks.ts');
  const known = new Networks();
  const interfaces = [...(run.interfaces ?? [])];
  const addresses = [...(run.addresses ?? [])];
  for (const { name, address, mac } of networks) {
    const attachment = await known.attach(name, address, mac);
    interfaces.push(attachment.interface);
    addresses.push(attachment.address);
  }
  return { ...rest, interfaces, addresses };
}

/**
 * Starts a kernel in the monitor of its platform. Only that one is loaded, since this lies on the way to the guest's
 * first instruction.
 *
 * @throws MachineFault when it cannot be started
 */
export async function startKernel(wanted: KernelRun, options: MachineOptions): Promise<Machine> {
  const run = await attachToNetworks(wanted);
  if (run.platform === 'qemu') return startMachine(run, options);
  if (run.platform === 'fc') {
    const { startFirecracker } = await import('./firecracker.ts');
    return startFirecracker(run, options);
  }
  throw new MachineFault('MACHINE_BAD_TARGET', `kernels for ${run.platform} cannot be run here`, {
    at: run.kernel,
    hint: elsewhere[run.platform] ?? 'Run the target for qemu.',
  });
}

/** Kraft has no way to run these either. */
const elsewhere: Readonly<Record<string, string>> = {
  xen: 'Give its configuration to xl on a host with Xen.',
  linuxu: 'It is a program of Linux: start it by its path. Or run the target for qemu.',
};
