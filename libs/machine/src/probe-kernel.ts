/** The debug exit device's port on QEMU's `pc` machine, and what the probe writes to it. */
const debugExitPort = 0x501;
const probeValue = 0x15;

/** The status with which QEMU exits when the probe has run: twice the value and one. */
export const probeExitStatus = probeValue * 2 + 1;

/** Where the probe is loaded. */
const loadAddress = 0x100000;

/**
 * The smallest kernel that shows that a virtual processor works: a multiboot header and a few instructions of x86 that
 * identify the processor, read its clock, and end QEMU by its debug exit device. Before them the firmware has run in
 * 16-bit and 32-bit mode, which is where broken virtualisation mostly shows.
 */
export function makeProbeKernel(): Uint8Array {
  const headerSize = 32;
  const code = [
    ...[0x31, 0xc0, 0x0f, 0xa2], // xor eax, eax; cpuid
    ...[0x0f, 0x31], // rdtsc
    ...[0x66, 0xba, debugExitPort & 0xff, debugExitPort >> 8], // mov dx, port
    ...[0x66, 0xb8, probeValue, 0x00], // mov ax, value
    ...[0x66, 0xef], // out dx, ax
    0xf4, // hlt
  ];
  const image = Buffer.alloc(headerSize + code.length);
  const magic = 0x1badb002;
  const ownAddresses = 0x10000; // flag: the header says where to load the file, which therefore need not be ELF
  const end = loadAddress + image.length;
  const fields = [magic, ownAddresses, -(magic + ownAddresses) >>> 0, loadAddress, loadAddress, end, end];
  for (const [index, field] of [...fields, loadAddress + headerSize].entries()) image.writeUInt32LE(field, index * 4);
  image.set(code, headerSize);
  return image;
}
