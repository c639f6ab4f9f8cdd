import { constants } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative, resolve } from 'node:path';
import { isAlive } from '@nx-kraft/base';
import { listFolder } from './files.ts';
import type { Locate } from './scenario-checks.ts';
import { requireSource, type Volume } from './volumes.ts';

/** Copies of the volumes that a guest may write to. */
export interface PrivateVolumes {
  readonly volumes: readonly Volume[];
  /** Where a file of the project is: in a copy, where it lies in what was copied. */
  readonly locate: Locate;
  readonly remove: () => Promise<void>;
}

const prefix = 'nx-kraft-test-';

/**
 * Copies what a test's guest may write to, so that each test finds the same and the project stays as it is. File systems
 * that can share blocks do so.
 *
 * @param folder  the project's
 * @throws MachineFault MACHINE_BAD_VOLUME for what is not there
 */
export async function copyVolumes(volumes: readonly Volume[], folder: string): Promise<PrivateVolumes> {
  for (const volume of volumes) requireSource(volume);
  const written = volumes.filter(({ readOnly, driver, source }) => {
    const isSocket = driver === 'virtiofs' && requireSource({ source, driver }).isSocket();
    return !readOnly && driver !== 'initrd' && !isSocket;
  });
  const direct: Locate = (path) => resolve(folder, path);
  if (written.length === 0) return { volumes, locate: direct, remove: () => Promise.resolve() };
  await removeForgotten();
  const place = await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`));
  const copies = new Map(written.map(({ source }, index) => [source, join(place, String(index), basename(source))]));
  for (const [source, copy] of copies) {
    await cp(source, copy, { recursive: true, mode: constants.COPYFILE_FICLONE, verbatimSymlinks: true });
  }
  return {
    volumes: volumes.map((volume) => {
      const copy = written.includes(volume) ? copies.get(volume.source) : undefined;
      return copy === undefined ? volume : { ...volume, source: copy };
    }),
    locate: (path) => {
      const wanted = direct(path);
      const found = [...copies].find(([source]) => !relative(source, wanted).startsWith('..'));
      return found === undefined ? wanted : join(found[1], relative(found[0], wanted));
    },
    remove: () => rm(place, { recursive: true, force: true }),
  };
}

/** Removes copies of tests that were killed. */
async function removeForgotten(): Promise<void> {
  for (const name of await listFolder(tmpdir())) {
    const owner = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    if (owner === undefined || isAlive(Number(owner))) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}
