import { closeSync, openSync, readSync } from 'node:fs';
import { hasErrorCode, regularFile } from '@nx-kraft/base';
import { MachineFault } from './fault.ts';

/** The architectures that machines can have. */
export type Architecture = 'x86_64' | 'arm64' | 'arm';

/** ELF's machine numbers. A kernel for x86_64 is a 32-bit ELF file where QEMU enters it by multiboot. */
const elfMachines: ReadonlyMap<number, Architecture> = new Map([
  [3, 'x86_64'],
  [40, 'arm'],
  [62, 'x86_64'],
  [183, 'arm64'],
]);

const headerSize = 64;

export interface KernelFile {
  readonly architecture: Architecture;
  /** Whether QEMU loads it by multiboot, and then gives it its file name as the first word of its command line. */
  readonly isMultiboot: boolean;
}

/**
 * Tells for which architecture a kernel file is, from its first bytes: an ELF file, or an image with the header of
 * Linux on arm64. A read this small is done at once: it lies on the way to the guest's first instruction.
 *
 * @throws MachineFault MACHINE_NO_KERNEL, MACHINE_NOT_A_KERNEL, and MACHINE_WRONG_ARCHITECTURE when no machine can run it
 */
export function inspectKernel(kernel: string): KernelFile {
  const header = readHeader(kernel);
  if (header.length >= 64 && header.readUInt32LE(56) === 0x644d5241)
    return { architecture: 'arm64', isMultiboot: false };
  if (header.length >= 20 && header.readUInt32BE(0) === 0x7f454c46) {
    const number = header[5] === 2 ? header.readUInt16BE(18) : header.readUInt16LE(18);
    const architecture = elfMachines.get(number);
    // QEMU takes a 64-bit ELF file by other protocols only.
    if (architecture !== undefined) return { architecture, isMultiboot: architecture === 'x86_64' && header[4] === 1 };
    throw new MachineFault(
      'MACHINE_WRONG_ARCHITECTURE',
      `this kernel is for an architecture with ELF's number ${number}`,
      { at: kernel, hint: `Machines can have: ${[...new Set(elfMachines.values())].join(', ')}.` },
    );
  }
  throw new MachineFault('MACHINE_NOT_A_KERNEL', 'this file is no kernel', {
    at: kernel,
    hint: 'A kernel is an ELF file, for example .unikraft/build/NAME_qemu-x86_64.',
  });
}

function readHeader(kernel: string): Buffer {
  try {
    const file = openSync(regularFile(kernel), 'r');
    try {
      const header = Buffer.alloc(headerSize);
      return header.subarray(0, readSync(file, header, 0, headerSize, 0));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) {
      throw new MachineFault('MACHINE_NO_KERNEL', 'there is no kernel at this path', {
        at: kernel,
        hint: 'Build it first.',
        cause: error,
      });
    }
    if (hasErrorCode(error, 'EISDIR')) {
      throw new MachineFault('MACHINE_NOT_A_KERNEL', 'this is a folder, not a kernel', { at: kernel, cause: error });
    }
    throw error;
  }
}

/** @throws MachineFault MACHINE_WRONG_ARCHITECTURE when the kernel is for another architecture than the machine */
export function requireArchitecture(kernel: string, architecture: Architecture): KernelFile {
  const file = inspectKernel(kernel);
  if (file.architecture === architecture) return file;
  throw new MachineFault(
    'MACHINE_WRONG_ARCHITECTURE',
    `this kernel is for ${file.architecture}, but the machine is to be ${architecture}`,
    { at: kernel, hint: `Run it as ${file.architecture}, or build the target for ${architecture}.` },
  );
}
