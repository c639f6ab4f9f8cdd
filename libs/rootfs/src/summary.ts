import type { Rootfs } from './build.ts';

/**
 * A summary of a root file system for people: who built it and why, entries, size, the ten largest files, warnings, and
 * whether the memory of the machine can hold it.
 *
 * @param memory  bytes of memory that the machine gets, where that is known
 */
export function describeRootfs(rootfs: Rootfs, memory?: number): string[] {
  const { path, format, entries, size, largest, warnings } = rootfs;
  const hint = memoryHint(rootfs, memory);
  return [
    ...describeBuilder(rootfs),
    `${path}: ${format}, ${entries} entries, ${formatBytes(size)}${rootfs.digest === undefined ? '' : `, ${rootfs.digest}`}`,
    ...(largest.length === 0 ? [] : ['largest files:', ...table(largest)]),
    ...warnings.map((warning) => `warning: ${warning}`),
    ...(hint === undefined ? [] : [`warning: ${hint}`]),
  ];
}

/**
 * Memory in bytes that a machine needs at least to boot with a root file system. A CPIO archive is in memory twice while
 * it is unpacked; an EROFS image stays as it is. The kernel and the application come on top: 16 MiB is what the smallest
 * have.
 */
export function neededMemory({ format, size }: Pick<Rootfs, 'format' | 'size'>): number {
  return (format === 'cpio' ? 2 * size : size) + 16 * mebibyte;
}

/** What to do when `memory` bytes cannot hold a root file system, as sentences; undefined when they can. */
export function memoryHint(rootfs: Pick<Rootfs, 'format' | 'size'>, memory: number | undefined): string | undefined {
  const needed = neededMemory(rootfs);
  if (memory === undefined || memory >= needed) return undefined;
  const advice = rootfs.format === 'cpio' ? ', make the root file system smaller, or use "format: erofs"' : '';
  return `the machine has ${formatBytes(memory)} of memory, but this root file system needs ${formatBytes(needed)} or more: give it more${advice}.`;
}

const mebibyte = 1024 * 1024;

function describeBuilder({ builder, passedOver = [] }: Rootfs): string[] {
  if (builder === undefined) return [];
  return [`built with ${builder}`, ...passedOver.map((one) => `  not with ${one.builder}: ${one.reason}`)];
}

function table(largest: Rootfs['largest']): string[] {
  const sizes = largest.map(({ size }) => formatBytes(size));
  const width = Math.max(...sizes.map(({ length }) => length));
  return largest.map(({ name }, index) => `  ${(sizes[index] ?? '').padStart(width)}  ${name}`);
}

/** Binary units, three digits at most before the point. */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ''}`;
}
