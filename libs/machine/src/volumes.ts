import { statSync, type Stats } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { hasErrorCode } from '@nx-kraft/base';
import { initrdMount } from './command-line.ts';
import { MachineFault } from './fault.ts';

const drivers = ['9pfs', 'virtiofs', 'block', 'initrd'] as const;

/**
 * How a volume reaches the guest: a folder by 9p, which QEMU serves itself, or by virtiofs, which needs its daemon; a
 * file as a disk (`block`), or as the archive that is unpacked at the destination (`initrd`, one per machine).
 */
export type VolumeDriver = (typeof drivers)[number];

/** What a user asks to have in the guest. */
export interface Volume {
  /** A folder; for `block` and `initrd` a file; for `virtiofs` also the socket of a daemon that runs. Absolute. */
  readonly source: string;
  /** An absolute path in the guest. */
  readonly destination: string;
  readonly driver: VolumeDriver;
  readonly readOnly: boolean;
}

/** A volume with the tag under which the guest finds it. */
export interface Mount extends Volume {
  readonly tag: string;
}

/**
 * Reads a volume as `source:destination[:option[,option…]]`; a relative source is relative to `folder`. Options are `ro`,
 * `rw` and the name of a driver; without one it is 9pfs.
 *
 * @throws MachineFault MACHINE_BAD_VOLUME
 */
export function parseVolume(text: string, folder: string): Volume {
  const [source = '', destination = '', options = 'rw', ...more] = text.split(':');
  if (source === '' || more.length > 0) throw badVolume(text, 'it is not of the form source:destination[:options]');
  if (!isAbsolute(destination)) throw badVolume(text, 'the path in the guest must begin with /');
  const words = options.split(',');
  const unknown = words.find((word) => word !== 'ro' && word !== 'rw' && !isDriver(word));
  if (unknown !== undefined) {
    throw badVolume(text, `'${unknown}' is no option; there are ro, rw, ${drivers.join(', ')}`);
  }
  return {
    source: resolve(folder, source),
    destination,
    driver: words.find(isDriver) ?? '9pfs',
    readOnly: words.includes('ro'),
  };
}

function isDriver(word: string): word is VolumeDriver {
  return (drivers as readonly string[]).includes(word);
}

function badVolume(text: string, why: string): MachineFault {
  return new MachineFault('MACHINE_BAD_VOLUME', `cannot use the volume '${text}': ${why}`, {
    hint: 'For example ./data:/data, ./data:/data:ro or ./disk.img:/disk:block.',
  });
}

/**
 * Looks whether what a volume shares is there. It asks the system at once and does not wait in turn, since this lies on
 * the way to the guest's first instruction.
 *
 * @throws MachineFault MACHINE_BAD_VOLUME
 */
export function requireSource({ source, driver }: Pick<Volume, 'source' | 'driver'>): Stats {
  const isFolder = driver === '9pfs' || driver === 'virtiofs';
  let stats: Stats;
  try {
    stats = statSync(source);
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'EACCES')) throw error;
    const why = hasErrorCode(error, 'EACCES') ? 'you may not read' : 'there is no';
    throw new MachineFault('MACHINE_BAD_VOLUME', `${why} ${isFolder ? 'folder' : 'file'} ${source} to share`, {
      hint: isFolder ? 'Make the folder first.' : 'Make the file first.',
      cause: error,
    });
  }
  if (stats.isDirectory() === isFolder || (driver === 'virtiofs' && stats.isSocket())) return stats;
  throw new MachineFault('MACHINE_BAD_VOLUME', `${source} is ${isFolder ? 'no folder' : 'a folder'}`, {
    hint: `The driver ${driver} shares ${isFolder ? 'folders' : 'files'}.`,
  });
}

/** What the guest finds in its memory: the machine's own archive, or the volume with the driver `initrd`. */
export interface InitrdVolume {
  readonly initrd: string | undefined;
  /** Entries of the guest's fstab for it. */
  readonly mounts: readonly string[];
  /** The other volumes. */
  readonly volumes: readonly Volume[];
}

/**
 * Sorts out a volume with the driver `initrd`.
 *
 * @param initrd  the archive that the machine has anyway
 * @throws MachineFault MACHINE_BAD_VOLUME for a second archive: Unikraft knows one
 */
export function splitInitrd(all: readonly Volume[], initrd: string | undefined): InitrdVolume {
  const [first, ...more] = all.filter(({ driver }) => driver === 'initrd');
  if (first === undefined) return { initrd, mounts: [], volumes: all };
  if (initrd !== undefined || more.length > 0) {
    throw new MachineFault('MACHINE_BAD_VOLUME', `${(more[0] ?? first).source} would be a second initrd`, {
      hint: 'A machine has one, and the root file system is one: share a folder, or put it into the root file system.',
    });
  }
  requireSource(first);
  return {
    initrd: first.source,
    mounts: [first.destination === '/' ? initrdMount : `initrd0:${first.destination}:extract:::mkmp`],
    volumes: all.filter(({ driver }) => driver !== 'initrd'),
  };
}

/** Gives each volume its tag: `fs1`, `fs2`, … as kraft counts them, where `fs0` is the initrd. */
export function tagVolumes(volumes: readonly Volume[]): readonly Mount[] {
  return volumes.map((volume, index) => ({ ...volume, tag: `fs${index + 1}` }));
}

/** The guest's fstab entry of a volume: `tag:destination:driver:flags:options:ukoptions`, its folder made first. */
export function formatMount({ tag, destination, driver, readOnly }: Mount): string {
  // The flag is MS_RDONLY of mount(2).
  return `${tag}:${destination}:${driver}:${readOnly ? '0x1' : ''}::mkmp`;
}
