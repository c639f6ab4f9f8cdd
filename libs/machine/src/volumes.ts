import { isAbsolute, resolve } from 'node:path';
import { MachineFault } from './fault.ts';

export type VolumeDriver = '9pfs' | 'virtiofs' | 'block' | 'initrd';

/** What a user asks to have in the guest. */
export interface Volume {
  /** A folder; for `block` and `initrd` a file; for `virtiofs` the socket of its daemon. Absolute. */
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
 * Reads a volume as `source:destination[:ro|rw]`; a relative source is relative to `folder`. The driver is 9pfs, which
 * shares a folder.
 *
 * @throws MachineFault MACHINE_BAD_VOLUME
 */
export function parseVolume(text: string, folder: string): Volume {
  const [source = '', destination = '', mode = 'rw', ...more] = text.split(':');
  if (source === '' || more.length > 0 || (mode !== 'ro' && mode !== 'rw')) {
    throw badVolume(text, 'it is not of the form source:destination[:ro]');
  }
  if (!isAbsolute(destination)) throw badVolume(text, 'the path in the guest must begin with /');
  return { source: resolve(folder, source), destination, driver: '9pfs', readOnly: mode === 'ro' };
}

function badVolume(text: string, why: string): MachineFault {
  return new MachineFault('MACHINE_BAD_VOLUME', `cannot use the volume '${text}': ${why}`, {
    hint: 'For example ./data:/data or ./data:/data:ro.',
  });
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
