import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrorCode } from '@nx-kraft/base';
import { MachineFault } from './fault.ts';
import { listFolder } from './files.ts';
import { defaultVolumeFolder, volumeName } from './volume-names.ts';
import { parseVolume, type Volume } from './volumes.ts';

export interface NamedVolume {
  readonly name: string;
  /** The folder that machines share. */
  readonly folder: string;
}

/** Volumes that have a name instead of a path: folders below one folder, made and removed by name. */
export class VolumeStore {
  readonly #root: string;

  constructor(root: string = defaultVolumeFolder()) {
    this.#root = root;
  }

  /** @throws MachineFault MACHINE_BAD_VOLUME, MACHINE_NAME_TAKEN */
  async create(name: string): Promise<NamedVolume> {
    const folder = this.#folder(name);
    await mkdir(this.#root, { recursive: true });
    try {
      await mkdir(folder);
    } catch (error) {
      if (!hasErrorCode(error, 'EEXIST')) throw error;
      throw new MachineFault('MACHINE_NAME_TAKEN', `there is a volume with the name ${name}`, { cause: error });
    }
    return { name, folder };
  }

  async list(): Promise<readonly NamedVolume[]> {
    return (await listFolder(this.#root)).toSorted().map((name) => ({ name, folder: this.#folder(name) }));
  }

  /** @throws MachineFault MACHINE_NO_VOLUME */
  async inspect(name: string): Promise<NamedVolume> {
    const volumes = await this.list();
    const found = volumes.find((volume) => volume.name === name);
    if (found !== undefined) return found;
    throw new MachineFault('MACHINE_NO_VOLUME', `there is no volume '${name}'`, {
      hint:
        volumes.length === 0 ? 'There is none at all.' : `There are: ${volumes.map((each) => each.name).join(', ')}.`,
    });
  }

  /**
   * Reads volumes as `parseVolume` does, where a source may also be the name of one of these: as in kraft, that wins over
   * a folder of the same name, which is meant by `./NAME`.
   */
  async parse(texts: readonly string[], folder: string): Promise<readonly Volume[]> {
    // Most runs name none, and looking for them lies on the way to the guest's first instruction.
    const names = texts.map((text) => text.split(':')[0] ?? '').filter((source) => volumeName.test(source));
    const known = names.length === 0 ? [] : await this.list();
    return texts.map((text) => {
      const volume = parseVolume(text, folder);
      const named = known.find(({ name }) => text.startsWith(`${name}:`));
      return named === undefined ? volume : { ...volume, source: named.folder };
    });
  }

  /** Removes a volume with all that is in it. */
  async remove(name: string): Promise<void> {
    await rm((await this.inspect(name)).folder, { recursive: true });
  }

  #folder(name: string): string {
    if (volumeName.test(name)) return join(this.#root, name);
    throw new MachineFault('MACHINE_BAD_VOLUME', `'${name}' cannot be the name of a volume`, {
      hint: 'It has letters, digits, -, _ and ., and begins with a letter or digit.',
    });
  }
}
