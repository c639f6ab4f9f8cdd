import { arch } from 'node:os';
import { MachineFault, chooseAccelerator, findProgram } from '@nx-kraft/machine';
import type { Check, Finding, Surroundings } from '../check.ts';
import { probeProgram, programCheck } from './program.ts';

const subject = 'Machines';
const own = arch() === 'arm64' ? 'arm64' : 'x86_64';

/** Boots a machine of a few bytes with KVM, since the device can be there and not work. */
async function probeKvm({ system }: Surroundings): Promise<Finding> {
  try {
    const qemu = await findProgram(own === 'arm64' ? 'qemu-system-aarch64' : 'qemu-system-x86_64');
    await chooseAccelerator('kvm', own, qemu);
    return { state: 'ok', detail: 'a machine has booted with it' };
  } catch (error) {
    if (!(error instanceof MachineFault)) throw error;
    const wsl = system.wsl ? ' In WSL 2: nestedVirtualization=true below [wsl2] in %UserProfile%\\.wslconfig.' : '';
    return { state: 'missing', detail: error.message, remedy: `${error.hint ?? ''}${wsl}` };
  }
}

async function probeFirecracker(): Promise<Finding> {
  const finding = await probeProgram('firecracker');
  if (finding.state === 'ok') return finding;
  return {
    ...finding,
    remedy: 'Put the program of https://github.com/firecracker-microvm/firecracker/releases into PATH; it needs KVM.',
  };
}

export const machineChecks: readonly Check[] = [
  programCheck({
    subject,
    program: own === 'arm64' ? 'qemu-system-aarch64' : 'qemu-system-x86_64',
    needed: true,
    cost: `No targets qemu/${own} run, and no tests.`,
  }),
  programCheck({
    subject,
    program: own === 'arm64' ? 'qemu-system-x86_64' : 'qemu-system-aarch64',
    needed: false,
    cost: `No targets qemu/${own === 'arm64' ? 'x86_64' : 'arm64'} run; they would be emulated.`,
  }),
  {
    subject,
    name: 'KVM',
    needed: false,
    cost: 'Machines are emulated, which makes them many times slower; Firecracker does not run.',
    probe: probeKvm,
  },
  {
    subject,
    name: 'firecracker',
    needed: false,
    cost: 'No targets fc/… run; they can be built and packaged.',
    probe: probeFirecracker,
  },
  programCheck({
    subject,
    program: 'setpriv',
    needed: false,
    cost: 'A machine may go on when the program that started it is killed.',
  }),
  programCheck({ subject, program: 'gdb', needed: false, cost: 'Kernels cannot be debugged.' }),
];
