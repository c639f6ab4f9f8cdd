import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { buildGuest, type Guest } from './guest.ts';

/** Builds a guest before the tests of a file, in a folder that is removed after them. */
export function useGuest(): Guest & { readonly folder: string } {
  const made = { folder: '', kernel: '', initrd: '' };
  beforeAll(async () => {
    made.folder = await mkdtemp(join(tmpdir(), 'machine-'));
    Object.assign(made, await buildGuest(made.folder));
  });
  afterAll(() => rm(made.folder, { recursive: true }));
  return made;
}
